import { openCtr } from '../support/ctr.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'ctr',
  needs: ['containerd', 'ctr', 'tar'],
  open: openCtr,
  forms: ['oci', 'docker', 'zstd', 'plain', 'index', 'list', 'attested'],
})
