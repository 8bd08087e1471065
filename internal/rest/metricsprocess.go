package rest

import runtimemetrics "runtime/metrics"

// processMetrics are the controller's own memory and work, under the names that Go programs have in Prometheus. Reading
// them stops nothing.
func processMetrics(m *exposition) {
	s := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/sched/goroutines:goroutines"}}
	runtimemetrics.Read(s)
	n := make([]float64, len(s))
	for i := range s {
		if s[i].Value.Kind() == runtimemetrics.KindUint64 {
			n[i] = float64(s[i].Value.Uint64())
		}
	}
	m.head("go_memstats_heap_inuse_bytes", "gauge", "Heap in use by the controller")
	m.value("go_memstats_heap_inuse_bytes", n[0]+n[1])
	m.head("go_gc_heap_live_bytes", "gauge", "Heap that the last garbage collection found in use")
	m.value("go_gc_heap_live_bytes", n[2])
	m.head("go_goroutines", "gauge", "Goroutines of the controller")
	m.value("go_goroutines", n[3])
}
