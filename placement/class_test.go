package placement

import (
	"slices"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/google/go-cmp/cmp"
)

const mib = orbit.MiB

// machine has cores, GiB of memory, and devices by the MiB they report.
func machine(cores int, memory float64, devices ...int) orbit.Hardware {
	h := orbit.Hardware{Cores: cores, Memory: orbit.Bytes(memory * float64(orbit.GiB))}
	for _, d := range devices {
		h.GPUs = append(h.GPUs, orbit.GPU{Memory: orbit.Bytes(d) * mib})
	}
	return h
}

func TestMachinesFallIntoTheLargestClassTheyMeet(t *testing.T) {
	for _, tc := range []struct {
		name string
		h    orbit.Hardware
		want string
	}{
		{"laptop", machine(8, 15.3), "cpu"},
		{"container smaller than the smallest class", machine(1, 0.5), "cpu"},
		{"16 cores and 64 GiB, less what the kernel keeps", machine(16, 62.5), "cpu-large"},
		{"many cores, little memory", machine(64, 32), "cpu"},
		{"T4", machine(4, 15.3, 15360), "gpu-16g"},
		{"A10", machine(4, 15.3, 22731), "gpu-24g"},
		{"L4", machine(4, 15.3, 23034), "gpu-24g"},
		{"RTX 4090", machine(16, 62, 24564), "gpu-24g"},
		{"A100 of 40 GB", machine(12, 83, 40536), "gpu-40g"},
		{"L40S", machine(16, 120, 46068), "gpu-48g"},
		{"A100 of 80 GB", machine(12, 167, 81920), "gpu-80g"},
		{"H100, 79.6 GiB", machine(26, 200, 81559), "gpu-80g"},
		{"80 GB counted in decimal", machine(26, 200, 76294), "gpu-80g"},
		{"H100 NVL", machine(40, 300, 95830), "gpu-96g"},
		{"H200", machine(24, 240, 143771), "gpu-141g"},
		{"B200", machine(24, 240, 183359), "gpu-141g"},
		{"eight cards of 24 GB are none of 141 GB", machine(96, 500, 24564, 24564, 24564, 24564, 24564, 24564, 24564, 24564), "gpu-24g"},
		{"unlike cards count by the largest", machine(96, 500, 15360, 46068), "gpu-48g"},
		{"large card, few cores", machine(4, 15.3, 81559), "gpu-48g"},
		{"card too small for any class", machine(8, 31, 8192), "cpu"},
	} {
		if got := ClassOf(tc.h, DefaultClasses()); got != tc.want {
			t.Errorf("%s: %s, not %s", tc.name, got, tc.want)
		}
	}
}

func TestMachineMayPullAllThatItMeetsItsOwnClassFirst(t *testing.T) {
	if got, want := ClassesOf(machine(26, 200, 81559), DefaultClasses()), []string{"gpu-80g", "gpu-48g", "gpu-40g", "gpu-24g", "gpu-16g", "cpu-large", "cpu"}; !slices.Equal(got, want) {
		t.Error(got)
	}
	if got, want := ClassesOf(machine(4, 15.3, 15360), DefaultClasses()), []string{"gpu-16g", "cpu"}; !slices.Equal(got, want) {
		t.Error(got)
	}
	gpus := []orbit.Class{{Name: "gpu", GPUMemory: orbit.GiB}}
	if got := ClassOf(machine(8, 8), gpus); got != "" {
		t.Errorf("a machine without a GPU is of class %q", got)
	}
	if got := ClassOf(machine(8, 8), nil); got != "" {
		t.Errorf("without classes: %q", got)
	}
}

func TestClassServesItselfAndAllThatNeedNoMore(t *testing.T) {
	for class, want := range map[string][]string{
		"cpu":       {"cpu"},
		"cpu-large": {"cpu-large", "cpu"},
		"gpu-24g":   {"gpu-24g", "gpu-16g", "cpu"},
		"gpu-141g":  {"gpu-141g", "gpu-96g", "gpu-80g", "gpu-48g", "gpu-40g", "gpu-24g", "gpu-16g", "cpu"}, // 8 cores are promised, not 16
		"tpu":       nil,
	} {
		if got := Serves(class, DefaultClasses()); !slices.Equal(got, want) {
			t.Errorf("%s serves %v", class, got)
		}
	}
}

func TestStepsGoToTheSmallestClassThatSuffices(t *testing.T) {
	for _, tc := range []struct {
		ask  orbit.Resources
		want string
	}{
		{orbit.Resources{}, "cpu"},
		{orbit.Resources{Model: "m", CPU: 2, Memory: 4 * orbit.GiB}, "cpu"},
		{orbit.Resources{CPU: 3}, "cpu-large"},
		{orbit.Resources{Memory: 64 * orbit.GiB}, "cpu-large"},
		{orbit.Resources{GPUMemory: 1}, "gpu-16g"},
		{orbit.Resources{GPUMemory: 16 * orbit.GiB}, "gpu-16g"},
		{orbit.Resources{GPUMemory: 16*orbit.GiB + 1}, "gpu-24g"},
		{orbit.Resources{GPUMemory: 16 * orbit.GiB, CPU: 4}, "gpu-40g"},
		{orbit.Resources{GPUMemory: 40 * orbit.GiB, CPU: 4, Memory: 8 * orbit.GiB}, "gpu-40g"},
		{orbit.Resources{GPUMemory: 80 * orbit.GiB}, "gpu-80g"},
		{orbit.Resources{GPUMemory: 80e9}, "gpu-80g"},
		{orbit.Resources{GPUMemory: 141 * orbit.GiB}, "gpu-141g"},
		{orbit.Resources{Class: "gpu-80g"}, "gpu-80g"},
		{orbit.Resources{Class: "gpu-80g", GPUMemory: 24 * orbit.GiB}, "gpu-80g"},
	} {
		if got, err := LeastClass(tc.ask, DefaultClasses()); got != tc.want || err != nil {
			t.Errorf("%+v: %q, %v", tc.ask, got, err)
		}
	}
}

func TestStepsThatFitNowhereAreToldWhy(t *testing.T) {
	for _, tc := range []struct {
		ask     orbit.Resources
		classes []orbit.Class
		says    string
	}{
		{orbit.Resources{GPUMemory: 200 * orbit.GiB}, DefaultClasses(),
			"no hardware class suffices: the closest, gpu-141g, promises 141GiB on one device where 200GiB are asked for; ask for less, or define a larger class"},
		{orbit.Resources{GPUMemory: 80 * orbit.GiB, CPU: 16}, DefaultClasses(), "gpu-141g, promises 8 cores where 16 are asked for"},
		{orbit.Resources{CPU: 64, Memory: 512 * orbit.GiB}, DefaultClasses(), "promises 8 cores where 64 are asked for and promises 32GiB of memory where 512GiB are asked for"},
		{orbit.Resources{GPUMemory: 16 * orbit.GiB}, DefaultClasses()[:2], "promises no GPU where one of 16GiB is asked for"},
		{orbit.Resources{Class: "gpu-16g", GPUMemory: 40 * orbit.GiB}, DefaultClasses(),
			"hardware class gpu-16g promises 16GiB on one device where 40GiB are asked for; leave out the class or the amounts"},
		{orbit.Resources{Class: "gpu-80"}, DefaultClasses(), `there is no hardware class "gpu-80"; did you mean "gpu-80g"?`},
		{orbit.Resources{Class: "GPU-96G"}, DefaultClasses(), `did you mean "gpu-96g"?`},
		{orbit.Resources{Class: "quantum"}, DefaultClasses()[:2], "; there are cpu, cpu-large"},
		{orbit.Resources{}, nil, "no hardware class is defined"},
	} {
		if got, err := LeastClass(tc.ask, tc.classes); err == nil || got != "" || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: %q, %v", tc.ask, got, err)
		}
	}
}

func TestEachRejectionOfAMachineHasItsReason(t *testing.T) {
	class := orbit.Class{Name: "c", GPUMemory: 40 * orbit.GiB, Cores: 4, Memory: 16 * orbit.GiB}
	for _, tc := range []struct {
		h    orbit.Hardware
		want []Reason
	}{
		{machine(4, 16, 40536), nil},
		{machine(4, 16), []Reason{{NoGPU, "has no GPU where one of 40GiB is needed"}}},
		{machine(4, 16, 24576, 24576), []Reason{{GPUMemory, "has 24GiB on its largest device where 40GiB are needed"}}},
		{machine(2, 16, 40536), []Reason{{Cores, "has 2 cores where 4 are needed"}}},
		{machine(4, 8, 40536), []Reason{{Memory, "has 8GiB of memory where 16GiB are needed"}}},
		{machine(1, 1), []Reason{{NoGPU, "has no GPU where one of 40GiB is needed"}, {Cores, "has 1 cores where 4 are needed"}, {Memory, "has 1GiB of memory where 16GiB are needed"}}},
	} {
		if diff := cmp.Diff(tc.want, Unmet(tc.h, class)); diff != "" {
			t.Errorf("%+v: %s", tc.h, diff)
		}
	}
}
