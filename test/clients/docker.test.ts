import { openDocker } from '../support/docker.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'docker',
  needs: ['dockerd', 'docker', 'containerd', 'skopeo', 'podman'],
  open: openDocker,
  forms: ['oci', 'plain'],
})
