package cluster_test

import (
	"fmt"
	"os"

	"github.com/exospherehost/orbit/cluster"
)

func ExampleCompile() {
	r := cluster.Compile("reports.yml", []byte(`version: 0.0.1b
cluster:
  identifier: aikin/reports
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: exospherehost/get-files, identifier: files, config: {provider: file, folder-path: /data}}
    - {uses: exospherehost/jq, config: {qury: .size}}
`), cluster.Options{Catalog: newCatalog()})
	cluster.Render(os.Stdout, r.Diagnostics, false)
	fmt.Println(r.Plan == nil)
	// Output:
	// reports.yml:8:41: error[ORB-C031]: config has no key "qury"
	//     8 |     - {uses: exospherehost/jq, config: {qury: .size}}
	//                                                 ^
	// hint: did you mean query?
	// true
}

func ExampleFormat() {
	text, _ := cluster.Format("reports.yml", []byte(`cluster:
    sla: 6h   # a night is enough
    identifier: demo/reports
version:  0.0.1b
`))
	fmt.Print(string(text))
	// Output:
	// version: 0.0.1b
	// cluster:
	//   identifier: demo/reports
	//   sla: 6h   # a night is enough
}
