// Package obs sets up logging and names its keys. One line per change of state, none per loop.
package obs
