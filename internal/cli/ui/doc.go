// Package ui renders what the command line shows: tables, replies, trees, JSON, sizes, progress. Everything is a pure
// function over an io.Writer and a Style; nothing here asks a terminal or a clock.
//
// Layouts follow LINSTOR's client, so that people's habits and scripts keep working; the rules are in this project's notes
// on that client's table and message output and are held by golden tests.
package ui
