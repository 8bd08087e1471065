package cli

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Annotations that tell expand about options and commands.
const (
	// annMany: the option takes all words up to the next option.
	annMany = "many"
	// annMaybe: the option takes the next word if it matches the annotation's regular expression.
	annMaybe = "maybe"
	// annMin: how many positional arguments the command needs.
	annMin = "min"
	// annMinUnless: the command needs one more, unless this option is given.
	annMinUnless = "min-unless"
	// annSection: the command's section in the configuration file.
	annSection = "section"
)

// expand rewrites a command line from what LINSTOR's client understands to what pflag does: the path of the command,
// then its options as --name=value, then "--" and the positional arguments.
func expand(root *cobra.Command, args []string, conf sections) ([]string, error) {
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		return args, nil
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	x := expander{cmd: root, root: root}
	var path []string
	i := 0
	for i < len(args) && !x.ended {
		if isOption(args[i]) {
			i = x.option(args, i)
		} else {
			sub := child(x.cmd, args[i])
			if sub == nil {
				break
			}
			x.cmd = sub
			path = append(path, sub.Name())
			i++
			if !sub.HasSubCommands() {
				break
			}
		}
		if x.err != nil {
			return nil, x.err
		}
	}
	if s := x.cmd.Annotations[annSection]; s != "" {
		more, err := conf.commandArgs(s)
		if err != nil {
			return nil, err
		}
		x.flags = append(more, x.flags...)
	}
	for i < len(args) {
		if x.ended || !isOption(args[i]) || x.negative(args[i]) {
			x.words = append(x.words, args[i])
			i++
			continue
		}
		if i = x.option(args, i); x.err != nil {
			return nil, x.err
		}
	}
	x.giveBack()
	if x.cmd == root && len(x.words) > 0 {
		return nil, usagef(nil, "unknown command %q; see '%s help'", x.words[0], root.Name())
	}
	out := append(path, x.flags...)
	for _, m := range x.many {
		if len(m.values) == 0 {
			out = append(out, "--"+m.name+"=")
		}
		for _, v := range m.values {
			out = append(out, "--"+m.name+"="+v)
		}
	}
	if len(x.words) > 0 {
		out = append(append(out, "--"), x.words...)
	}
	return out, nil
}

type expander struct {
	root, cmd *cobra.Command
	flags     []string
	many      []manyValues
	words     []string
	ended     bool
	err       error
}

// manyValues are the words that an option with several values took, and how many positional arguments stood before it.
type manyValues struct {
	name   string
	values []string
	before int
}

func isOption(s string) bool { return len(s) > 1 && s[0] == '-' }

// negative tells whether s is a negative number rather than an option.
func (x *expander) negative(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && x.cmd.Flags().ShorthandLookup(s[1:2]) == nil
}

// option handles the option at args[i] and returns the index after it and its values.
func (x *expander) option(args []string, i int) int {
	s := args[i]
	if s == "--" {
		x.ended = true
		return i + 1
	}
	if strings.HasPrefix(s, "--") {
		name, value, has := strings.Cut(s[2:], "=")
		f := x.long(name)
		switch {
		case x.err != nil:
		case f == nil:
			x.err = usagef(x.cmd, "unknown option --%s", name)
		case has:
			x.flags = append(x.flags, "--"+f.Name+"="+value)
		default:
			return x.value(f, args, i+1)
		}
		return i + 1
	}
	for j := 1; j < len(s); j++ {
		f := x.short(s[j : j+1])
		if f == nil {
			x.err = usagef(x.cmd, "unknown option -%s", s[j:j+1])
			return i + 1
		}
		if f.NoOptDefVal != "" && f.Annotations[annMaybe] == nil {
			x.flags = append(x.flags, "--"+f.Name+"="+f.NoOptDefVal)
			continue
		}
		if rest := s[j+1:]; rest != "" {
			x.flags = append(x.flags, "--"+f.Name+"="+strings.TrimPrefix(rest, "="))
			return i + 1
		}
		return x.value(f, args, i+1)
	}
	return i + 1
}

// value takes the value of f, if it has one, from args[i] on.
func (x *expander) value(f *pflag.Flag, args []string, i int) int {
	if f.Annotations[annMany] != nil {
		m := manyValues{name: f.Name, before: len(x.words)}
		for i < len(args) && (!isOption(args[i]) || x.negative(args[i])) {
			m.values = append(m.values, args[i])
			i++
		}
		x.many = append(x.many, m)
		return i
	}
	if re := f.Annotations[annMaybe]; re != nil {
		value := f.NoOptDefVal
		if i < len(args) && regexp.MustCompile(re[0]).MatchString(args[i]) {
			value = args[i]
			i++
		}
		x.flags = append(x.flags, "--"+f.Name+"="+value)
		return i
	}
	if f.NoOptDefVal != "" {
		x.flags = append(x.flags, "--"+f.Name+"="+f.NoOptDefVal)
		return i
	}
	if i >= len(args) {
		x.err = usagef(x.cmd, "option --%s needs a value", f.Name)
		return i
	}
	x.flags = append(x.flags, "--"+f.Name+"="+args[i])
	return i + 1
}

// long finds a long option by its name or a prefix that fits no other.
func (x *expander) long(name string) *pflag.Flag {
	var found *pflag.Flag
	var names []string
	look := func(f *pflag.Flag) {
		switch {
		case f.Name == name:
			names, found = []string{name}, f
		case strings.HasPrefix(f.Name, name) && !(found != nil && found.Name == name) && !slices.Contains(names, f.Name):
			names, found = append(names, f.Name), f
		}
	}
	x.cmd.InitDefaultHelpFlag()
	x.cmd.Flags().VisitAll(look)
	x.cmd.PersistentFlags().VisitAll(look)
	x.root.PersistentFlags().VisitAll(look)
	if len(names) > 1 && found.Name != name {
		slices.Sort(names)
		x.err = usagef(x.cmd, "option --%s could be --%s", name, strings.Join(names, " or --"))
	}
	return found
}

// short finds an option by its letter: the command's own first, then a global one.
func (x *expander) short(letter string) *pflag.Flag {
	x.cmd.InitDefaultHelpFlag()
	if f := x.cmd.Flags().ShorthandLookup(letter); f != nil {
		return f
	}
	if name, ok := globalShort[letter]; ok {
		return x.root.PersistentFlags().Lookup(name)
	}
	return nil
}

// giveBack returns words that an option with several values took, as long as the command lacks positional arguments.
func (x *expander) giveBack() {
	need, _ := strconv.Atoi(x.cmd.Annotations[annMin])
	if unless := x.cmd.Annotations[annMinUnless]; unless != "" && !slices.ContainsFunc(x.flags, func(f string) bool {
		return strings.HasPrefix(f, "--"+unless+"=")
	}) {
		need++
	}
	for i := len(x.many) - 1; i >= 0; i-- {
		m := &x.many[i]
		for len(x.words) < need && len(m.values) > 1 {
			last := len(m.values) - 1
			x.words = slices.Insert(x.words, m.before, m.values[last])
			m.values = m.values[:last]
		}
	}
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name || c.HasAlias(name) {
			return c
		}
	}
	return nil
}

// manyVar adds an option that takes several words.
func manyVar(cmd *cobra.Command, p *[]string, name, short, help string) {
	cmd.Flags().StringArrayVarP(p, name, short, nil, help)
	annotate(cmd, name, annMany)
}

// maybeVar adds an option whose value may be left out; def is its value then. A word is its value only if it matches re.
func maybeVar(cmd *cobra.Command, p *string, name, short, def, re, help string) {
	cmd.Flags().StringVarP(p, name, short, "", help)
	cmd.Flags().Lookup(name).NoOptDefVal = def
	annotate(cmd, name, annMaybe, re)
}

func annotate(cmd *cobra.Command, flag, key string, values ...string) {
	if values == nil {
		values = []string{""}
	}
	// The flag was added by the caller; an error could only mean that it wasn't.
	if err := cmd.Flags().SetAnnotation(flag, key, values); err != nil {
		panic(err)
	}
}

// alias adds another name for an option.
func alias(cmd *cobra.Command, name, other string) {
	f := *cmd.Flags().Lookup(name)
	f.Name, f.Shorthand, f.Hidden = other, "", true
	cmd.Flags().AddFlag(&f)
}

// takes says how many positional arguments a command needs; max -1 means any number.
func takes(cmd *cobra.Command, min, max int) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[annMin] = strconv.Itoa(min)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < min:
			return usagef(cmd, "too few arguments")
		case max >= 0 && len(args) > max:
			return usagef(cmd, "unexpected argument %q", args[max])
		}
		return nil
	}
	return cmd
}
