package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how many columns help takes.
const helpWidth = 100

// newHelp returns the command `help`.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Say what a command does, and its flags",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchCommand(about, rest)
			}
			return about.Help()
		},
	}
}

// printHelp prints what cmd does. The help of the root is short, and begins with what to try.
func printHelp(cmd *cobra.Command, _ []string) {
	var b strings.Builder
	if cmd.HasParent() {
		commandHelp(&b, cmd)
	} else {
		rootHelp(&b, cmd)
	}
	fmt.Fprint(cmd.OutOrStdout(), b.String())
}

func rootHelp(b *strings.Builder, root *cobra.Command) {
	fmt.Fprintln(b, "Try: realtime-hub up")
	fmt.Fprintln(b)
	fmt.Fprintln(b, "Realtime Hub lets many clients talk to each other in real time through hubs that act as one.")
	fmt.Fprintln(b, "`up` starts two of them with their pages in this process, and prints the addresses to open.")
	listCommands(b, root)
	fmt.Fprintln(b, "\nrealtime-hub COMMAND --help says more of a command.")
}

func commandHelp(b *strings.Builder, cmd *cobra.Command) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(b, "%s\nUsage:\n  %s\n", wrap(about), usageLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n%s\n", cmd.Example)
	}
	listCommands(b, cmd)
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(b, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(helpWidth))
	}
}

// wrap returns text in lines of at most helpWidth columns.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+width > helpWidth:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	b.WriteByte('\n')
	return b.String()
}

// usageLine returns how cmd is called.
func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

// listCommands lists the commands below cmd, where there are any.
func listCommands(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	fmt.Fprintln(b, "\nCommands:")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			fmt.Fprintf(b, "  %-11s %s\n", c.Name(), c.Short)
		}
	}
}

// commandNames returns the names of the commands below cmd.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagNames returns the names of the flags of fs, with their dashes.
func flagNames(fs *pflag.FlagSet) []string {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}
