package nbd

// Numbers of the NBD protocol (doc/proto.md of the nbd project), big endian on the wire.
const (
	magicServer = 0x4e42444d41474943 // "NBDMAGIC"
	magicOption = 0x49484156454f5054 // "IHAVEOPT"
	magicReply  = 0x3e889045565a9
	magicReq    = 0x25609513
	magicAnswer = 0x67446698

	flagFixedNewstyle = 1 << 0
	flagNoZeroes      = 1 << 1

	optExportName = 1
	optAbort      = 2
	optList       = 3
	optInfo       = 6
	optGo         = 7

	repAck      = 1
	repServer   = 2
	repInfo     = 3
	repErrUnsup = 1<<31 | 1

	infoExport    = 0
	infoBlockSize = 3

	txHasFlags    = 1 << 0
	txSendFlush   = 1 << 2
	txSendFUA     = 1 << 3
	txSendTrim    = 1 << 5
	txWriteZeroes = 1 << 6

	cmdRead        = 0
	cmdWrite       = 1
	cmdDisc        = 2
	cmdFlush       = 3
	cmdTrim        = 4
	cmdWriteZeroes = 6

	cmdFlagFUA = 1 << 0

	errIO    = 5
	errInval = 22
)

// maxRequest is the longest read or write taken, bytes (what QEMU never exceeds).
const maxRequest = 32 << 20

// maxOption is the longest option taken, bytes.
const maxOption = 64 << 10

const txFlags = txHasFlags | txSendFlush | txSendFUA | txSendTrim | txWriteZeroes
