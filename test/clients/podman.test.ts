import { openPodman } from '../support/podman.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({ name: 'podman', needs: ['podman'], open: (stack) => openPodman(stack), forms: ['oci', 'zstd', 'plain'] })
