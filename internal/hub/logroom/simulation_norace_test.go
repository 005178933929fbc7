//go:build !race

package logroom_test

const defaultSeeds = "1-1000"
