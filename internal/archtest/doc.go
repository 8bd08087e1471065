// Package archtest holds one test: which package may import which. ARCHITECTURE.md shows it as a picture.
package archtest
