// Package config reads the daemons' TOML files. Every setting has a default, so that no file is needed; a file may hold
// only what is known, with the right type. packaging/ has a sample of each that shows every default.
package config
