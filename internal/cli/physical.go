package cli

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newPhysicalStorage(a *App) *cobra.Command {
	return group("physical-storage", "ps", "Empty disks of the nodes", newPhysicalList(a), newCreateDevicePool(a))
}

var physicalColumns = []ui.Column{{Name: "Size"}, {Name: "Rotational"}, {Name: "Nodes"}}

func newPhysicalList(a *App) *cobra.Command {
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List whole disks of at least 1 GiB on which nothing is",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.PhysicalStorage, error) {
				return c.PhysicalStorage(ctx)
			}, func(w io.Writer, all []api.PhysicalStorage) error {
				t := &ui.Table{Columns: physicalColumns}
				for _, p := range all {
					t.Add(ui.Texts(strconv.FormatInt(p.Size, 10), pythonBool(p.Rotational), physicalNodes(p.Nodes))...)
				}
				return t.Write(w, a.styleFor(pastable))
			})
		},
	}, 0, 0)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	return cmd
}

// physicalNodes has a line for each node: alpha[/dev/sdb(serial,wwn),/dev/sdc].
func physicalNodes(nodes map[string][]api.PhysicalStorageDevice) string {
	var lines []string
	for _, n := range sortedKeys(nodes) {
		var devices []string
		for _, d := range nodes[n] {
			ids := slices.DeleteFunc([]string{d.Serial, d.WWN}, func(s string) bool { return s == "" })
			if len(ids) > 0 {
				devices = append(devices, d.Device+"("+strings.Join(ids, ",")+")")
			} else {
				devices = append(devices, d.Device)
			}
		}
		lines = append(lines, n+"["+strings.Join(devices, ",")+"]")
	}
	return strings.Join(lines, "\n")
}

func newCreateDevicePool(a *App) *cobra.Command {
	var p api.PhysicalStorageCreate
	var pool string
	var vdo, sed bool
	var wait waitOptions
	cmd := takes(&cobra.Command{
		Use:     "create-device-pool KIND NODE DEVICE...",
		Aliases: []string{"cdp"},
		Short:   "Make a volume group, thin pool or ZFS pool of empty disks, and a storage pool over it",
		Long: "Makes a volume group (lvm), a volume group with a thin pool (lvmthin) or a ZFS pool (zfs, zfsthin) of whole disks.\n" +
			"The node looks at them just before: a disk that is mounted or used, or on which anything is written that\n" +
			"`wipefs` knows, is never touched.",
		Example: "  physical-storage create-device-pool lvm alpha /dev/sdb /dev/sdc --pool-name sw_ssd --storage-pool swpool",
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.PoolName == "" {
				return usagef(cmd, "--pool-name is missing")
			}
			p.ProviderKind, p.DevicePaths = api.ParseProviderKind(args[0]), args[2:]
			if pool != "" {
				p.WithStoragePool = &api.PhysicalStorageStoragePoolCreate{Name: pool}
			}
			if vdo {
				p.VdoEnable = api.NewBool(true)
			}
			if sed {
				p.Sed = api.NewBool(true)
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreateDevicePool(ctx, args[1], p, wait.options()...)
			})
		},
	}, 3, -1)
	f := cmd.Flags()
	f.StringVar(&p.PoolName, "pool-name", "", "name of the new volume group, thin pool or ZFS pool; needed")
	f.StringVar(&pool, "storage-pool", "", "register a storage pool of that name over it")
	f.BoolVar(&vdo, "vdo-enable", false, "not in this release")
	f.BoolVar(&sed, "sed", false, "not in this release")
	wait.flags(cmd)
	return cmd
}
