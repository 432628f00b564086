import { openCrane } from '../support/crane.ts'
import { roundTripSuite } from './round-trip.ts'

roundTripSuite({
  name: 'crane, records in PostgreSQL',
  needs: ['crane', 'postgres'],
  open: openCrane,
  forms: ['oci', 'index', 'artifact'],
  copies: true,
  postgres: true,
})
