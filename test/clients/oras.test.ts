import { openOras } from '../support/oras.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'oras',
  needs: ['oras'],
  open: openOras,
  forms: ['oci', 'docker', 'zstd', 'plain', 'index', 'list', 'attested', 'artifact'],
  copies: true,
})
