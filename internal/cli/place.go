package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
)

// placeOptions say where replicas may go.
type placeOptions struct {
	countFlag                string
	count                    string
	pools, disklessPools     []string
	notWith                  []string
	notWithRegex             string
	same, different          []string
	xDifferent               []string
	disklessOnRemaining      string
	layers, providers        string
	drbdDiskless, nvme, disk bool
}

// flags adds the options. countFlag is "auto-place" or "place-count"; short is the letter of --providers.
func (o *placeOptions) flags(cmd *cobra.Command, countFlag, short string) {
	o.countFlag = countFlag
	help := "how many replicas: a number, +N more than there are, or all"
	if countFlag == "auto-place" {
		maybeVar(cmd, &o.count, countFlag, "", "group", `^(\+?\d+|max|all)$`, help+" (default: what the resource group says)")
	} else {
		cmd.Flags().StringVar(&o.count, countFlag, "", help)
	}
	manyVar(cmd, &o.pools, "storage-pool", "s", "only these storage pools")
	manyVar(cmd, &o.disklessPools, "diskless-storage-pool", "", "only these pools for replicas without a disk")
	manyVar(cmd, &o.notWith, "do-not-place-with", "", "not on nodes that have one of these resources")
	cmd.Flags().StringVar(&o.notWithRegex, "do-not-place-with-regex", "", "not on nodes that have a resource whose name matches")
	manyVar(cmd, &o.same, "replicas-on-same", "", "only on nodes with the same value of these auxiliary properties: KEY or KEY=VALUE")
	manyVar(cmd, &o.different, "replicas-on-different", "", "only on nodes with different values of these auxiliary properties")
	manyVar(cmd, &o.xDifferent, "x-replicas-on-different", "", "KEY N pairs: N replicas for each value of an auxiliary property")
	maybeVar(cmd, &o.disklessOnRemaining, "diskless-on-remaining", "", "true", `^(?i:true|false)$`, "a replica without a disk on all other nodes")
	cmd.Flags().StringVarP(&o.layers, "layer-list", "l", "", "comma-separated layers, top first")
	cmd.Flags().StringVarP(&o.providers, "providers", short, "", "comma-separated kinds of storage pools to use")
	if short == "" {
		alias(cmd, "providers", "prov")
	}
}

// disklessFlags adds the options that place replicas without a disk.
func (o *placeOptions) disklessFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.drbdDiskless, "drbd-diskless", false, "place replicas without a disk")
	cmd.Flags().BoolVar(&o.nvme, "nvme-initiator", false, "place NVMe initiators")
}

// filter turns the options into a request's filter. What wasn't given stays absent; an empty word removes what was set.
func (o *placeOptions) filter(cmd *cobra.Command) (api.AutoSelectFilter, error) {
	var f api.AutoSelectFilter
	switch {
	case o.count == "" || o.count == "group":
	case strings.HasPrefix(o.count, "+"):
		n, err := strconv.Atoi(o.count[1:])
		if err != nil {
			return f, usagef(cmd, "--%s: %q is not +NUMBER", o.countFlag, o.count)
		}
		f.AdditionalPlaceCount = api.NewInt(int64(n))
	case o.count == "max" || o.count == "all":
		f.PlaceCount, f.AdditionalPlaceCount = api.NewInt(-1), api.NewInt(0)
	default:
		n, err := strconv.Atoi(o.count)
		if err != nil || n < 0 {
			return f, usagef(cmd, "--%s: %q is not a number", o.countFlag, o.count)
		}
		f.PlaceCount = api.NewInt(int64(n))
	}
	f.StoragePoolList = given(cmd, "storage-pool", o.pools, "")
	f.StoragePoolDisklessList = given(cmd, "diskless-storage-pool", o.disklessPools, "")
	f.NotPlaceWithRsc = given(cmd, "do-not-place-with", o.notWith, "")
	f.NotPlaceWithRscRegex = o.notWithRegex
	f.ReplicasOnSame = given(cmd, "replicas-on-same", o.same, "Aux/")
	f.ReplicasOnDifferent = given(cmd, "replicas-on-different", o.different, "Aux/")
	if x := given(cmd, "x-replicas-on-different", o.xDifferent, ""); x != nil {
		if len(x)%2 != 0 {
			return f, usagef(cmd, "--x-replicas-on-different takes pairs: KEY NUMBER")
		}
		f.XReplicasOnDifferentMap = map[string]api.Int{}
		for i := 0; i < len(x); i += 2 {
			n, err := strconv.Atoi(x[i+1])
			if err != nil || n < 1 {
				return f, usagef(cmd, "--x-replicas-on-different: %q is not a number", x[i+1])
			}
			f.XReplicasOnDifferentMap["Aux/"+x[i]] = api.Int(n)
		}
	}
	var err error
	if f.LayerStack, err = layers(o.layers); err != nil {
		return f, usagef(cmd, "%w", err)
	}
	if o.layers == "" && cmd.Flags().Changed("layer-list") {
		f.LayerStack = []api.LayerType{} // none of its own any more
	}
	if o.providers != "" {
		for _, p := range strings.Split(o.providers, ",") {
			f.ProviderList = append(f.ProviderList, api.ParseProviderKind(p))
		}
	}
	if cmd.Flags().Changed("diskless-on-remaining") {
		f.DisklessOnRemaining = api.NewBool(!strings.EqualFold(o.disklessOnRemaining, "false"))
	}
	switch {
	case o.drbdDiskless:
		f.DisklessType = api.FlagDrbdDiskless
	case o.nvme:
		f.DisklessType = api.FlagNvmeInitiator
	case o.disk:
		f.DisklessType = api.FlagDiskless
	}
	return f, nil
}

// request turns the options into an autoplace request.
func (o *placeOptions) request(cmd *cobra.Command) (api.AutoPlaceRequest, error) {
	f, err := o.filter(cmd)
	if err != nil {
		return api.AutoPlaceRequest{}, err
	}
	r := api.AutoPlaceRequest{SelectFilter: f, LayerList: f.LayerStack, DisklessOnRemaining: f.DisklessOnRemaining}
	r.SelectFilter.LayerStack = nil
	return r, nil
}

// given returns the words of an option: nil when it wasn't given, an empty list when its only word is empty.
func given(cmd *cobra.Command, flag string, list []string, prefix string) []string {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	out := []string{}
	for _, w := range list {
		if w != "" {
			out = append(out, prefix+w)
		}
	}
	return out
}
