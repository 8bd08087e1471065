// Package cli is the command line, under the names "holdfast" and "linstor": the same commands, aliases, options and both
// spellings that LINSTOR's client takes, over package client and nothing else.
//
// One file a noun. Each command is a struct of its options with a plain run method; a function new... makes its
// cobra.Command. Arguments pass through expand (args.go) first, which gives pflag what Python's argparse understands:
// options with several values, optional values, and unambiguous prefixes of long options. What is shown is rendered by
// package ui.
package cli
