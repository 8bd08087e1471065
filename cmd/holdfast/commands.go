package main

import "github.com/spf13/cobra"

// commands are the parts of the program other than the command line: "controller", "satellite", "store".
func commands() []*cobra.Command { return nil }
