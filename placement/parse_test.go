package placement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/google/go-cmp/cmp"
)

func TestDefaultClassesAreTheOnesThatAreDocumented(t *testing.T) {
	var names []string
	for _, c := range DefaultClasses() {
		names = append(names, c.Name)
	}
	want := []string{"cpu", "cpu-large", "gpu-16g", "gpu-24g", "gpu-40g", "gpu-48g", "gpu-80g", "gpu-96g", "gpu-141g"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	DefaultClasses()[0].Name = "changed"
	if DefaultClasses()[0].Name != "cpu" {
		t.Error("a caller changed the defaults of all")
	}
}

func TestClassesAreReadWithTheirAmounts(t *testing.T) {
	got, err := ParseClasses([]byte("classes:\n- name: a\n- {name: b, cores: 4, memory: 8GiB, gpu-memory: 1024}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]orbit.Class{{Name: "a"}, {Name: "b", Cores: 4, Memory: 8 * orbit.GiB, GPUMemory: orbit.KiB}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsWrongWithClassesIsSaidWithItsLine(t *testing.T) {
	var many strings.Builder
	many.WriteString("classes:\n")
	for i := range maxClasses + 1 {
		fmt.Fprintf(&many, "- {name: c%d, cores: %d}\n", i, i)
	}
	for _, tc := range []struct{ text, says string }{
		{"", "must be a map with the key classes"},
		{"- name: a", "must be a map with the key classes"},
		{"classes: [", "this is no YAML: line 1"},
		{"classes:", "must be a list with at least one class"},
		{"classes: {}", "must be a list with at least one class"},
		{"class:\n- name: a", `line 1: unknown key "class"; did you mean "classes"?`},
		{"classes:\n- a", "line 2: a class must be a map with a name"},
		{"classes:\n- cores: 2", "line 2: the class has no name"},
		{"classes:\n- name: GPU_1", `line 2: "GPU_1" is no name for a class`},
		{"classes:\n- name: " + strings.Repeat("a", 33), "use up to 32 small letters"},
		{"classes:\n- name: a.b", "is no name"},
		{"classes:\n- name: [a]", "line 2: name must be a single value"},
		{"classes:\n- name: a\n  memory:", "line 3: memory must be a single value"},
		{"classes:\n- name: a\n  gpu_memory: 1GiB", `line 3: unknown key "gpu_memory"; did you mean "gpu-memory"?`},
		{"classes:\n- name: a\n  colour: red", `unknown key "colour"; there are name, gpu-memory, cores, memory`},
		{"classes:\n- name: a\n  memory: much", `line 3: memory: "much" is no amount of bytes; write it like 16GiB`},
		{"classes:\n- name: a\n  gpu-memory: -1", `line 3: gpu-memory: "-1" is no amount`},
		{"classes:\n- name: a\n  cores: 2.5", `line 3: "2.5" is no number of cores`},
		{"classes:\n- name: a\n  cores: 99999", `is no number of cores`},
		{"classes:\n- name: a\n  name: b", "line 3: the key name is there twice"},
		{"classes:\n- name: a\n- name: a\n  cores: 1", "line 3: the class a is defined already, at line 2"},
		{"classes:\n- &x {name: a}\n- *x", "line 3: a class must be a map"},
		{"classes:\n- name: &n a\n- name: *n", "line 3: aliases are not supported here"},
		{"classes:\n- {name: big, cores: 8}\n- {name: small, cores: 2}", "line 3: the class small needs no more than big at line 2; write smaller classes first"},
		{many.String(), "there are 33 classes; at most 32"},
		{"# " + strings.Repeat("x", maxFile), "classes take at most 65536"},
	} {
		if got, err := ParseClasses([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%.60q: %v, %v", tc.text, got, err)
		}
	}
}

func FuzzParseClasses(f *testing.F) {
	f.Add("classes:\n- name: a\n- {name: b, cores: 4, memory: 8GiB, gpu-memory: 1024}\n")
	f.Add("classes:\n- &x {name: a}\n- *x")
	f.Fuzz(func(t *testing.T, text string) {
		classes, err := ParseClasses([]byte(text))
		if err == nil {
			_, _ = LeastClass(orbit.Resources{CPU: 1}, classes)
		}
	})
}
