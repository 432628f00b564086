import { sayOldSources } from '../flow/advisories/old-sources.ts'
import { takeHold, type Hold } from '../flow/hold.ts'
import { openHouse } from '../flow/house.ts'
import { reload } from '../flow/reload.ts'
import { createLog } from '../kit/log.ts'
import { showAddress, type Settings } from '../kit/settings/settings.ts'
import { announceAdmin } from './announce.ts'
import { onHangUp } from './hang-up.ts'
import { createServer } from './server.ts'
import { closeOrExit, closeWithin, followConnections, untilTold } from './stop.ts'

/** Counting takes some ten milliseconds: the first pulls after a start, and the API's making, come before it. */
const sayAgeAfterMs = 1000

/**
 * Serves until it is told to stop: the steps of a start, in their order. In: the settings, and how they are read again on SIGHUP.
 * Out: when everything is closed. Errors: what keeps it from starting, in words for an operator.
 */
export async function serve(settings: Settings, readAgain: () => Settings): Promise<void> {
  const hold = await takeHold(settings.data, 'serve')
  try {
    await serveHeld(settings, readAgain, hold)
  } finally {
    hold.release()
  }
}

/** Connections that the kernel holds until this thread takes them: whom it turns away knocks again after one second, then three. */
const mostKnocking = 4096

async function serveHeld(settings: Settings, readAgain: () => Settings, hold: Hold): Promise<void> {
  const log = createLog({ level: settings.log })
  const house = await openHouse(settings, log)
  const server = await createServer(house)
  const connections = followConnections(server.server)
  announceAdmin(await house.admin, (text) => process.stderr.write(text))
  const told = untilTold(log) // from the first answer on
  await server.listen({ host: settings.listen.host, port: settings.listen.port, backlog: mostKnocking })
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : settings.listen.port
  house.bound(port)
  hold.announce(house.publicUrl())
  await house.start()
  log.info(
    { address: showAddress({ host: settings.listen.host, port }), policy: settings.policy, advisories: house.advisories().date },
    'lazaret serves',
  )
  const sayingAge = setTimeout(() => sayOldSources(house), sayAgeAfterMs)
  const stopReloading = onHangUp(() => reload({ ...house, read: readAgain, now: Date.now }))
  await told
  await stopReloading()
  clearTimeout(sayingAge)
  log.info('stopping')
  await closeWithin(server, connections, settings.stopSeconds, log)
  await closeOrExit(() => house.close(), log)
}
