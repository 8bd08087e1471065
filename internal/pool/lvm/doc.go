// Package lvm makes backing devices as linear volumes of a volume group (provider LVM). The label is a tag,
// holdfast:<volume id>, given in the same lvcreate call.
package lvm
