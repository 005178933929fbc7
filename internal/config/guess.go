package config

// Guess returns the word of known that is most like word, or "" where none is like it: about one letter in three may
// be wrong, missing, too many, or swapped with the next.
func Guess(word string, known []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if max(len(k)-len(word), len(word)-len(k)) >= least {
			continue // at least so many letters are missing or too many
		}
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// didYouMean returns the fix that names the guess for word, or "" where there is none.
func didYouMean(word string, known []string) string {
	if g := Guess(word, known); g != "" {
		return "did you mean " + g + " ?"
	}
	return ""
}

// distance returns how many single letters must be changed, added, removed or swapped with their neighbour to make b of
// a (the optimal string alignment distance).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
