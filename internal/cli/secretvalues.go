package cli

import "github.com/exospherehost/orbit/cluster"

// secretValues gives the values to send with a run for the secrets that a cluster declares: what the secrets file has under the
// declared name, or under the variable that the cluster names; else what the environment has of that variable. A secret
// without a value here is left to the gateway; what is not declared is never sent.
func secretValues(declared []cluster.SecretSource, file map[string]string, env func(string) (string, bool)) map[string]string {
	values := map[string]string{}
	for _, s := range declared {
		value, ok := file[s.Name]
		if !ok && s.Source == "env" {
			if value, ok = file[s.Key]; !ok {
				value, ok = env(s.Key)
			}
		}
		if ok {
			values[s.Name] = value
		}
	}
	return values
}
