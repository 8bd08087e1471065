package rest

import "strings"

// notYet are LINSTOR's other routes. They are told apart from paths that nobody knows.
func notYet() []route {
	var out []route
	for _, line := range strings.Split(strings.TrimSpace(laterRoutes), "\n") {
		f := strings.SplitN(line, " ", 3)
		out = append(out, route{method: f[0], pattern: f[1], read: later, doc: f[2]})
	}
	return out
}

const laterRoutes = `
GET /metrics/scrape-target targets for Prometheus
POST /v1/controller/auth/initialize-token-auth token authentication
GET /v1/controller/auth/token list API tokens
POST /v1/controller/auth/token create an API token
DELETE /v1/controller/auth/token/{token} revoke an API token
PUT /v1/controller/auth/token/{token} change an API token
POST /v1/controller/backup/db back the database up
PUT /v1/controller/config change the controller's configuration
POST /v1/controller/database/export export the database
PUT /v1/files/{file} register an external file
DELETE /v1/files/{file} delete an external file
GET /v1/files/{file}/check/{node} whether a file may be written on a node
GET /v1/files/{file}/status/{node} the state of a file on a node
POST /v1/nodes/ebs add an EBS node
POST /v1/nodes/exec/drbd-reactorctl/{command} run drbd-reactorctl on nodes
PUT /v1/nodes/{node}/config change a satellite's configuration
DELETE /v1/remotes delete a remote
POST /v1/remotes/ebs create an EBS remote
PUT /v1/remotes/ebs/{remote} change an EBS remote
POST /v1/remotes/linstor create a LINSTOR remote
PUT /v1/remotes/linstor/{remote} change a LINSTOR remote
POST /v1/remotes/s3 create an S3 remote
PUT /v1/remotes/s3/{remote} change an S3 remote
POST /v1/remotes/{remote}/backups create a backup
DELETE /v1/remotes/{remote}/backups delete backups
POST /v1/remotes/{remote}/backups/abort abort a backup
POST /v1/remotes/{remote}/backups/info information on a backup
POST /v1/remotes/{remote}/backups/restore restore a backup
POST /v1/remotes/{remote}/backups/ship ship a backup to another cluster
DELETE /v1/remotes/{remote}/backups/schedule/{schedule}/delete delete a backup's schedule
PUT /v1/remotes/{remote}/backups/schedule/{schedule}/disable disable a backup's schedule
PUT /v1/remotes/{remote}/backups/schedule/{schedule}/enable enable a backup's schedule
PUT /v1/resource-definitions/{rsc}/drbd-proxy change DRBD Proxy's options
POST /v1/resource-definitions/{rsc}/drbd-proxy/disable/{nodeA}/{nodeB} disable DRBD Proxy
POST /v1/resource-definitions/{rsc}/drbd-proxy/enable/{nodeA}/{nodeB} enable DRBD Proxy
GET /v1/resource-definitions/{rsc}/drbd-proxy/properties/info DRBD Proxy's properties
POST /v1/resource-definitions/{rsc}/files/{file...} deploy an external file
DELETE /v1/resource-definitions/{rsc}/files/{file...} undeploy an external file
POST /v1/schedules create a schedule
DELETE /v1/schedules/{schedule} delete a schedule
PUT /v1/schedules/{schedule} change a schedule
GET /v1/sos-report make a report for support
`
