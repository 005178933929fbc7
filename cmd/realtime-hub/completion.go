package main

import (
	"github.com/spf13/cobra"
)

// newCompletion returns the command `completion`.
func newCompletion(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print what completes commands and flags in your shell",
		Example: "  source <(realtime-hub completion bash)\n" +
			"  realtime-hub completion fish > ~/.config/fish/completions/realtime-hub.fish",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      wantArgs(1, 1, "realtime-hub completion bash"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(p.stdout, true)
		case "zsh":
			return root.GenZshCompletion(p.stdout)
		case "fish":
			return root.GenFishCompletion(p.stdout, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(p.stdout)
		}
		return &usageError{"unknown shell \"" + args[0] + "\"", "choose bash, zsh, fish or powershell"}
	}
	return cmd
}
