package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

const keyPoolName = "StorDriver/StorPoolName"

func newStoragePool(a *App) *cobra.Command {
	cmd := group("storage-pool", "sp", "Places for volumes on nodes",
		newPoolCreate(a), newPoolDelete(a), newPoolList(a))
	cmd.AddCommand(poolOwner().commands(a)...)
	return cmd
}

func poolOwner() owner {
	return owner{
		use: "NODE POOL", noun: "storage pool",
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.StoragePools(ctx, client.Filter{Nodes: args[:1], StoragePools: args[1:]})
			for _, p := range list {
				if strings.EqualFold(p.NodeName, args[0]) && strings.EqualFold(p.StoragePoolName, args[1]) {
					return p.Props, true, err
				}
			}
			return nil, false, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyStoragePool(ctx, args[0], args[1], api.StoragePoolModify{PropsModify: m})
		},
	}
}

// poolKinds are the words for kinds of pools on the command line, and what each needs as its place.
var poolKinds = []struct {
	word  string
	kind  api.ProviderKind
	place string
	short string
}{
	{"lvm", api.LVM, "VOLUME_GROUP", "an LVM volume group"},
	{"lvmthin", api.LVMThin, "VOLUME_GROUP/THIN_POOL", "an LVM thin pool"},
	{"zfs", api.ZFS, "ZPOOL", "a ZFS pool or dataset, thick volumes"},
	{"zfsthin", api.ZFSThin, "ZPOOL", "a ZFS pool or dataset, thin volumes"},
	{"file", api.File, "DIRECTORY", "a directory, files of full size"},
	{"filethin", api.FileThin, "DIRECTORY", "a directory, sparse files"},
	{"diskless", api.Diskless, "", "no storage; for replicas without a disk"},
}

type poolCreate struct {
	app             *App
	kind            api.ProviderKind
	node, name      string
	place           string
	shared          string
	externalLocking bool
	wait            waitOptions
}

func (o *poolCreate) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.shared, "shared-space", "", "name of the storage that several nodes see")
	cmd.Flags().BoolVar(&o.externalLocking, "external-locking", false, "something else locks the shared storage")
	o.wait.flags(cmd)
}

func (o *poolCreate) run(ctx context.Context) error {
	p := api.StoragePool{
		StoragePoolName: o.name, ProviderKind: o.kind, FreeSpaceMgrName: o.shared, ExternalLocking: api.Bool(o.externalLocking),
	}
	if o.place != "" {
		p.Props = api.Props{keyPoolName: o.place}
	}
	return o.app.watched(ctx, watchNode(o.node), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.CreateStoragePool(ctx, o.node, p, o.wait.options()...)
	})
}

// newPoolCreate makes "create KIND NODE POOL PLACE" and the older "create NODE POOL KIND PLACE".
func newPoolCreate(a *App) *cobra.Command {
	old := poolCreate{app: a}
	cmd := takes(&cobra.Command{
		Use:     "create NODE POOL KIND [PLACE]",
		Aliases: []string{"c"},
		Short:   "Add a storage pool to a node",
		Example: "  storage-pool create lvm alpha swpool sw_ssd\n  storage-pool create alpha swpool lvm sw_ssd",
	}, 3, 4)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, k := range poolKinds {
			if api.ParseProviderKind(args[2]) != k.kind {
				continue
			}
			if (k.place == "") != (len(args) == 3) {
				return usagef(cmd, "usage: storage-pool create NODE POOL %s", strings.TrimSpace(k.word+" "+k.place))
			}
			old.node, old.name, old.kind = args[0], args[1], k.kind
			if len(args) == 4 {
				old.place = args[3]
			}
			return old.run(cmd.Context())
		}
		var known []string
		for _, k := range poolKinds {
			known = append(known, k.word)
		}
		return usagef(cmd, "%q is not a kind of storage pool; use one of %s", args[2], strings.Join(known, ", "))
	}
	old.flags(cmd)
	for _, k := range poolKinds {
		o := poolCreate{app: a, kind: k.kind}
		n := 3
		if k.place == "" {
			n = 2
		}
		sub := takes(&cobra.Command{
			Use:   strings.TrimSpace(k.word + " NODE POOL " + k.place),
			Short: "Add " + k.short,
		}, n, n)
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			o.node, o.name = args[0], args[1]
			if n == 3 {
				o.place = args[2]
			}
			return o.run(cmd.Context())
		}
		o.flags(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func newPoolDelete(a *App) *cobra.Command {
	var o deleteOptions
	cmd := takes(&cobra.Command{
		Use:     "delete NODE... POOL",
		Aliases: []string{"d"},
		Short:   "Remove an empty storage pool from nodes",
		RunE: func(cmd *cobra.Command, args []string) error {
			pool := args[len(args)-1]
			var list []change
			for _, node := range args[:len(args)-1] {
				list = append(list, func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
					return c.DeleteStoragePool(ctx, node, pool, o.options()...)
				})
			}
			return a.changes(cmd.Context(), list...)
		},
	}, 2, -1)
	o.flags(cmd)
	cmd.Flags().BoolP("quiet", "q", false, "ask nothing (nothing is asked anyway)")
	return cmd
}

var poolColumns = []ui.Column{
	{Name: "StoragePool"}, {Name: "Node"}, {Name: "Driver"}, {Name: "PoolName"}, {Name: "FreeCapacity", Right: true},
	{Name: "TotalCapacity", Right: true}, {Name: "CanSnapshots"}, {Name: "State"}, {Name: "SharedName"},
}

func newPoolList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List storage pools",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.StoragePool, error) {
				return c.StoragePools(ctx, o.filter)
			}, func(w io.Writer, pools []api.StoragePool) error {
				if err := poolTable(&o, pools).Write(w, a.styleFor(o.pastable)); err != nil {
					return err
				}
				var reports []api.ApiCallRc
				for _, p := range pools {
					reports = append(reports, p.Reports...)
				}
				if err := a.reports(reports); err != nil {
					return err
				}
				return a.why(poolReasons(pools))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "storage-pool.list", columns: poolColumns, groupBy: true, nodes: true, pools: true, props: true,
		show: true, showLong: true, file: true})
	return cmd
}

func poolTable(o *listOptions, pools []api.StoragePool) *ui.Table {
	t := o.table(poolColumns)
	for _, p := range pools {
		shared := p.FreeSpaceMgrName
		// A private space is named NODE;POOL (LINSTOR 1.34) or NODE:POOL (older); a shared one has neither mark.
		if strings.ContainsAny(shared, ":;") {
			shared = ""
		}
		row := ui.Texts(p.StoragePoolName, p.NodeName, string(p.ProviderKind), poolPlace(p),
			capacity(p, p.FreeCapacity), capacity(p, p.TotalCapacity), pythonBool(bool(p.SupportsSnapshots)))
		row = append(row, reportsState(p.Reports), ui.Text(shared))
		t.Add(append(row, o.propCells(p.Props)...)...)
	}
	t.SortBy(o.groupBy...)
	return t
}

func poolPlace(p api.StoragePool) string {
	if s, ok := p.Props[keyPoolName]; ok {
		return s
	}
	vg, thin := p.Props["StorDriver/LvmVg"], p.Props["StorDriver/ThinPool"]
	switch {
	case p.ProviderKind == api.LVMThin && thin != "":
		return fmt.Sprintf("%s/%s", vg, thin)
	case vg != "":
		return vg
	case p.Props["StorDriver/ZPool"] != "":
		return p.Props["StorDriver/ZPool"]
	case p.Props["StorDriver/ZPoolThin"] != "":
		return p.Props["StorDriver/ZPoolThin"]
	}
	return p.Props["StorDriver/FileDir"]
}

func capacity(p api.StoragePool, kib *int64) string {
	if p.ProviderKind == api.Diskless || p.ProviderKind == api.EBSTarget || kib == nil || *kib == math.MaxInt64 {
		return ""
	}
	return ui.FormatSize(*kib)
}

// pythonBool writes a boolean as LINSTOR's client does.
func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// reportsState sums up an object's reports in a word.
func reportsState(rcs api.ApiCallRcList) ui.Cell {
	switch {
	case rcs.HasError():
		return ui.Cell{Text: "Error", Color: ui.Red}
	case rcs.HasWarning():
		return ui.Cell{Text: "Warning", Color: ui.Yellow}
	}
	return ui.Cell{Text: "Ok", Color: ui.Green}
}

// reports prints the entries that objects of a list carry, each once.
func (a *App) reports(rcs []api.ApiCallRc) error {
	seen := map[string]bool{}
	for _, rc := range rcs {
		if key := rc.Message + "\x00" + rc.Cause + "\x00" + rc.Details; !seen[key] {
			seen[key] = true
			if err := ui.Message(a.out(), a.style, rc); err != nil {
				return err
			}
		}
	}
	return nil
}
