//go:build linux && cgo

package probe

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/exospherehost/orbit"
	"github.com/rs/zerolog"
)

// openGPUs opens NVML. The library is loaded when it is first used, so a program that links it starts without one.
func openGPUs(log zerolog.Logger) gpus { return openNVML(nvml.New(), log) }

func openNVML(lib nvml.Interface, log zerolog.Logger) gpus {
	switch ret := lib.Init(); ret {
	case nvml.SUCCESS:
		return library{lib}
	case nvml.ERROR_LIBRARY_NOT_FOUND, nvml.ERROR_DRIVER_NOT_LOADED: // a machine without NVIDIA's GPUs
	default:
		log.Warn().Str("err", ret.Error()).Msg("the GPU driver fails; this machine works without GPUs")
	}
	return noGPUs{} // without Init, Shutdown must not be called
}

// library is NVML after Init.
type library struct{ lib nvml.Interface }

func (l library) close() { l.lib.Shutdown() }

func (l library) list() (found []orbit.GPU, err error) {
	n, ret := l.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return nil, fmt.Errorf("count GPUs: %s", ret.Error())
	}
	for i := range n {
		parts, e := l.device(i)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("GPU %d: %w", i, e))
		}
		found = append(found, parts...)
	}
	return found, err
}

// device gives the i-th card, or its parts where it is divided.
func (l library) device(i int) ([]orbit.GPU, error) {
	card, ret := l.lib.DeviceGetHandleByIndex(i)
	if ret != nvml.SUCCESS {
		return nil, errors.New(ret.Error())
	}
	if mode, _, ret := card.GetMigMode(); ret != nvml.SUCCESS || mode != nvml.DEVICE_MIG_ENABLE {
		gpu, err := read(card)
		if err != nil {
			return nil, err
		}
		gpu.Handle = strconv.Itoa(i) // in the order of the bus, as CUDA has it where CUDA_DEVICE_ORDER says so
		return []orbit.GPU{gpu}, nil
	}
	most, ret := card.GetMaxMigDeviceCount()
	if ret != nvml.SUCCESS {
		return nil, errors.New(ret.Error())
	}
	var parts []orbit.GPU
	for j := range most {
		part, ret := card.GetMigDeviceHandleByIndex(j)
		if ret == nvml.ERROR_NOT_FOUND || ret == nvml.ERROR_INVALID_ARGUMENT { // that place is not taken
			continue
		}
		if ret != nvml.SUCCESS {
			return parts, fmt.Errorf("part %d: %s", j, ret.Error())
		}
		gpu, err := read(part)
		if err != nil {
			return parts, fmt.Errorf("part %d: %w", j, err)
		}
		if id, ret := part.GetUUID(); ret == nvml.SUCCESS { // parts have no number of their own
			gpu.Handle = id
		}
		parts = append(parts, gpu)
	}
	return parts, nil
}

func read(d nvml.Device) (orbit.GPU, error) {
	memory, ret := d.GetMemoryInfo()
	if ret != nvml.SUCCESS {
		return orbit.GPU{}, errors.New(ret.Error())
	}
	model, ret := d.GetName()
	if ret != nvml.SUCCESS {
		model = "GPU" // its memory is what matters
	}
	return orbit.GPU{Name: model, Memory: orbit.Bytes(memory.Total), Free: orbit.Bytes(memory.Free)}, nil
}
