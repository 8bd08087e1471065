// Package agentapi holds what the lab and the agent inside a lab machine say to each other: JSON over HTTP
// on the machine's control network. It knows nothing else of either side.
package agentapi
