package ui

import (
	"io"
	"strings"
)

// Tree is a node of a tree of objects.
type Tree struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Children    []*Tree `json:"children"`
	Color       Color   `json:"-"`
}

// Child finds a child by name, or nil.
func (t *Tree) Child(name string) *Tree {
	for _, c := range t.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Add appends a child and returns it.
func (t *Tree) Add(c *Tree) *Tree {
	t.Children = append(t.Children, c)
	return c
}

// Write draws the tree.
func (t *Tree) Write(w io.Writer, s Style) error {
	var b strings.Builder
	t.write(&b, s, "", "", "")
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Tree) write(b *strings.Builder, s Style, connector, marker, prefix string) {
	bar, tee, end := "   |", "   |---", "   +---"
	if s.UTF8 {
		bar, tee, end = "   │", "   ├───", "   └───"
	}
	if connector != "" {
		b.WriteString(connector + "\n")
	}
	b.WriteString(marker + s.Paint(clean(t.Name), t.Color) + " (" + clean(t.Description) + ")\n")
	for i, c := range t.Children {
		if i < len(t.Children)-1 {
			c.write(b, s, prefix+bar, prefix+tee, prefix+bar)
		} else {
			c.write(b, s, prefix+bar, prefix+end, prefix+"    ")
		}
	}
}
