// Package labtest brings up a lab for a test, or skips the test where no machines are wanted.
package labtest
