//go:build linux && cgo

package probe

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/exospherehost/orbit"
	"github.com/rs/zerolog"
)

func prober(server nvml.Interface) (*Prober, *bytes.Buffer) {
	var log bytes.Buffer
	l := zerolog.New(&log)
	return &Prober{log: l, root: fstest.MapFS{}, gpus: openNVML(server, l)}, &log
}

func TestMachineWithEightGPUsShowsEachWithItsFreeMemory(t *testing.T) {
	server := dgxa100.New()
	shutdowns := 0
	server.ShutdownFunc = func() nvml.Return { shutdowns++; return nvml.SUCCESS }
	p, log := prober(server)
	h, err := p.Hardware(t.Context())
	if err != nil || len(h.GPUs) != 8 || h.GPUs[7] != (orbit.GPU{Name: "Mock NVIDIA A100-SXM4-40GB", Memory: 40 * orbit.GiB, Handle: "7"}) {
		t.Errorf("%+v, %v", h, err)
	}
	server.Devices[3].(*dgxa100.Device).MemoryInfo.Free = 5 << 30
	if got := p.GPUs()[3].Free; got != 5*orbit.GiB {
		t.Errorf("free memory is not read afresh: %s", got)
	}
	p.Close()
	p.Close()
	if shutdowns != 1 || p.GPUs() != nil {
		t.Errorf("shut down %d times; %v", shutdowns, p.GPUs())
	}
	if log.Len() > 0 {
		t.Error(log)
	}
}

func TestMachineWithoutDriverHasNoGPUsAndSaysNothing(t *testing.T) {
	for _, ret := range []nvml.Return{nvml.ERROR_LIBRARY_NOT_FOUND, nvml.ERROR_DRIVER_NOT_LOADED} {
		p, log := prober(&mock.Interface{InitFunc: func() nvml.Return { return ret }}) // any other call panics
		if got := p.GPUs(); got != nil || log.Len() > 0 {
			t.Errorf("%s: %v, %s", ret, got, log)
		}
		p.Close()
	}
}

func TestDriverThatFailsIsLoggedAndMeansNoGPUs(t *testing.T) {
	p, log := prober(&mock.Interface{InitFunc: func() nvml.Return { return nvml.ERROR_LIB_RM_VERSION_MISMATCH }})
	if got := p.GPUs(); got != nil || !strings.Contains(log.String(), "ERROR_LIB_RM_VERSION_MISMATCH") {
		t.Errorf("%v, %s", got, log)
	}
	p.Close()

	server := dgxa100.New()
	server.DeviceGetCountFunc = func() (int, nvml.Return) { return 0, nvml.ERROR_UNKNOWN }
	p, log = prober(server)
	if got := p.GPUs(); got != nil || !strings.Contains(log.String(), "count GPUs: ERROR_UNKNOWN") {
		t.Errorf("%v, %s", got, log)
	}
}

func TestDeviceThatIsLostIsLeftOutAndTheOthersStay(t *testing.T) {
	server := dgxa100.New()
	server.Devices[2].(*dgxa100.Device).GetMemoryInfoFunc = func() (nvml.Memory, nvml.Return) { return nvml.Memory{}, nvml.ERROR_GPU_IS_LOST }
	p, log := prober(server)
	if got := p.GPUs(); len(got) != 7 || !strings.Contains(log.String(), "GPU 2: ERROR_GPU_IS_LOST") {
		t.Errorf("%v, %s", got, log)
	}
}

func TestPartsOfADividedCardAreItsDevices(t *testing.T) {
	server := dgxa100.New()
	card := server.Devices[0].(*dgxa100.Device)
	card.MigMode = nvml.DEVICE_MIG_ENABLE
	part := dgxa100.NewDevice(0)
	part.MemoryInfo = nvml.Memory{Total: 10 << 30, Free: 9 << 30}
	card.GetMaxMigDeviceCountFunc = func() (int, nvml.Return) { return 7, nvml.SUCCESS }
	card.GetMigDeviceHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
		if i >= 2 {
			return nil, nvml.ERROR_NOT_FOUND
		}
		return part, nvml.SUCCESS
	}
	p, _ := prober(server)
	got := p.GPUs()
	if len(got) != 9 || got[0].Memory != 10*orbit.GiB || got[1].Free != 9*orbit.GiB || got[2].Memory != 40*orbit.GiB {
		t.Errorf("%+v", got)
	}
}
