import { openBuildah } from '../support/buildah.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({ name: 'buildah', needs: ['buildah', 'podman'], open: openBuildah, forms: ['oci', 'zstd', 'plain'] })
