import { openCrane } from '../support/crane.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'crane',
  needs: ['crane'],
  open: openCrane,
  forms: ['oci', 'docker', 'zstd', 'plain', 'index', 'attested', 'artifact'],
  copies: true,
})
