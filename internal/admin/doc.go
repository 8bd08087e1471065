// Package admin holds the commands on the controller's local files: `holdfast store check`, `export` and `take-over`.
package admin
