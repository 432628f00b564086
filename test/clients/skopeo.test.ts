import { openSkopeo } from '../support/skopeo.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'skopeo',
  needs: ['skopeo', 'podman'],
  open: openSkopeo,
  forms: ['oci', 'zstd', 'plain', 'index', 'attested', 'artifact'],
  copies: true,
})
