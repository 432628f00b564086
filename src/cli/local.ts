import { Readable } from 'node:stream'
import { takeHold, type Hold } from '../flow/hold.ts'
import { openHouse } from '../flow/house.ts'
import { LazaretError } from '../kit/errors.ts'
import { createLog } from '../kit/log.ts'
import { publicUrls, type Settings } from '../kit/settings/settings.ts'
import { announceAdmin } from '../serve/announce.ts'
import { createApi } from '../serve/api/api.ts'
import { askerOfThisMachine } from '../serve/api/asker.ts'
import { clientOver, type Client, type Exchange } from './client.ts'
import type { Io } from './command.ts'
import { requireDataFolder } from './data-folder.ts'

/** Opens the data folder and asks the API within this process: what a command does is the same with and without a server. */
export async function openLocal(settings: Settings, io: Io, command: string): Promise<Client> {
  await requireDataFolder(settings)
  const hold = await holdFor(settings, command)
  try {
    const house = await openHouse(settings, createLog({ level: 'warn' }))
    announceAdmin(await house.admin, io.err)
    const api = await createApi(house, askerOfThisMachine)
    const exchange: Exchange = async ({ method, path, body, bytes }) => {
      const sent = bytes === undefined ? body : Readable.from(bytes)
      const headers = bytes === undefined ? {} : { headers: { 'content-type': 'application/octet-stream' } }
      const answer = await api.inject({
        method: method as 'GET',
        url: path,
        ...headers,
        ...(sent === undefined ? {} : { payload: sent as object }),
      })
      return { status: answer.statusCode, text: answer.body }
    }
    return clientOver(publicUrls(settings)[0] ?? '', exchange, async () => {
      await api.close()
      await house.close()
      hold.release()
    })
  } catch (error) {
    hold.release()
    throw error
  }
}

async function holdFor(settings: Settings, command: string): Promise<Hold> {
  try {
    return await takeHold(settings.data, command)
  } catch (error) {
    const address =
      error instanceof LazaretError ? (error.detail as { holder?: { address?: string } } | undefined)?.holder?.address : undefined
    if (!(error instanceof LazaretError) || address === undefined) throw error
    throw new LazaretError(error.code, `${error.message}: ask it by LAZARET_SERVER=${address}, or lazaret login ${address}`, {
      cause: error,
    })
  }
}
