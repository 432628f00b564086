import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { shortDigest, type Digest } from '../../model/digest.ts'
import { minute } from '../accounts.ts'
import { openClient } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText } from '../options.ts'
import { table } from '../table.ts'

interface Status {
  bytesPerSecond: number
  blobs: number
  bytes: number
  dueBlobs: number
  dueBytes: number
  damagedBlobs: number
}

interface Damaged {
  digest: Digest
  damagedAt: string
  damage: string
  manifests: number
}

export const scrub: Command = {
  usage: '[start] [--format table|json]',
  summary: 'Say how far stored blobs were read again, and which are damaged',
  details: [
    'start: every blob is read again from now on, whenever it was read last, at scrub.bytesPerSecond.',
    'It ends with 1 where a blob is damaged.',
  ],
  run: async (args, io) => {
    const { values, positionals } = parseArgs({ args, options: formatOption, allowPositionals: true, strict: true })
    const [word, ...more] = positionals
    if (more.length > 0 || (word !== undefined && word !== 'start'))
      throw new LazaretError('USAGE', `there is no scrub ${positionals.join(' ').slice(0, 40)}: start, or nothing to look`)
    const asJson = isJson(values.format)
    await using client = await openClient(io, 'scrub')
    const status = word === 'start' ? await client.send<Status>('POST', '/scrub', {}) : await client.get<Status>('/scrub', {})
    const { items: damaged } = await client.get<{ items: Damaged[] }>('/damaged', { limit: 100 })
    if (asJson) io.out(jsonText({ ...status, damaged }))
    else print(status, damaged, io)
    return status.damagedBlobs === 0 ? exit.fine : exit.failed
  },
}

function print(status: Status, damaged: Damaged[], io: Io): void {
  const { bytesPerSecond, dueBytes } = status
  const left = bytesPerSecond === 0 ? 'turned off' : `${Math.ceil(dueBytes / bytesPerSecond)} s at ${bytesPerSecond} bytes a second`
  const rows = [
    ['whole', String(status.blobs), String(status.bytes)],
    ['to be read in this pass', String(status.dueBlobs), `${dueBytes} (${left})`],
    ['damaged', String(status.damagedBlobs), ''],
  ]
  io.out(table(['SCRUB', 'BLOBS', 'BYTES'], rows, io.columns))
  if (damaged.length === 0) return
  const found = damaged.map((one) => [shortDigest(one.digest), minute(one.damagedAt), String(one.manifests), one.damage])
  io.out(`\n${table(['DAMAGED', 'SINCE', 'MANIFESTS', 'WHAT IS WRONG'], found, io.columns)}`)
}
