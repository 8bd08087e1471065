// Package secret is the encryption of keys, in LINSTOR's formats, so that what LINSTOR encrypted opens here: volumes' keys
// are encrypted with the cluster's master key, and that with a key derived from the passphrase. Pure: randomness comes in.
package secret
