package api

// PassphraseCreate creates the master passphrase, or changes it: then with the old one.
type PassphraseCreate struct {
	NewPassphrase string `json:"new_passphrase,omitempty"`
	OldPassphrase string `json:"old_passphrase,omitempty"`
}

// VolumeDefinitionModifyPassphrase changes the passphrase of one volume.
type VolumeDefinitionModifyPassphrase struct {
	NewPassphrase string `json:"new_passphrase"`
}
