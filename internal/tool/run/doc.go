// Package run starts programs and touches files; nothing else in Holdfast does.
//
// Tools and drivers take the interfaces below, so that the same code runs on a
// real machine (OS) and on a model one. A program never goes through a shell,
// always has a deadline, and a deadline never waits for a process that the
// kernel holds (D state): such a process is named in a HungError and left
// behind.
package run
