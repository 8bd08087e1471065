package main

import "path/filepath"

// prog is the name to show in usage texts.
func prog(argv0 string) string {
	if filepath.Base(argv0) == "linstor" {
		return "linstor"
	}
	return "holdfast"
}

// linstorVersion is what LINSTOR's own programs print of themselves: Incus runs `Satellite --version` before it loads its
// driver, and reads the word after "Version:". False: this is no such call.
func linstorVersion(argv []string) (string, bool) {
	if len(argv) != 2 || argv[1] != "--version" {
		return "", false
	}
	switch filepath.Base(argv[0]) {
	case "Satellite", "Controller":
		return "Version: " + version + "\n", true
	}
	return "", false
}
