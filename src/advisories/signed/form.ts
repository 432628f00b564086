import { sign, verify, type KeyObject } from 'node:crypto'
import { LazaretError } from '../../kit/errors.ts'
import { isObject, own } from '../fields.ts'
import { trustedKeyOf, type TrustedKey } from './keys.ts'

/*
 * A revision as one signed file, for places without a network. It is a zstd file as a whole: what comes first is a frame that
 * zstd skips (RFC 8878 §3.1.2), so that `zstd -d` gives the database.
 *
 *   50 2a 4d 18 │ length, u32 LE │ envelope: DSSE v1, JSON; its payload is the manifest
 *   28 b5 2f fd … the database of the revision
 */
export const skippableMagic = 0x18_4d_2a_50
export const headBytes = 8
export const mostEnvelopeBytes = 1024 * 1024
export const mostPackedBytes = 2 * 1024 ** 3
export const mostUnpackedBytes = 8 * 1024 ** 3

const payloadType = 'application/vnd.lazaret.advisories.manifest.v1+json'
const formVersion = 1
const mostSignatures = 16
const mostSources = 10_000

export interface BytesOf {
  sizeBytes: number
  /** Hex. */
  sha256: string
}

/** What the signature speaks for. */
export interface ExportManifest {
  lazaretAdvisories: typeof formVersion
  /** As the exporter calls it. */
  revision: string
  /** ISO 8601: the newest data in it. */
  date: string
  /** ISO 8601: when it was exported. */
  createdAt: string
  schema: number
  records: number
  withdrawn: number
  exploited: number
  sources: { source: string; records: number; newest: string }[]
  /** The database, unpacked. */
  database: BytesOf
  /** The zstd frame. */
  packed: BytesOf
}

export type ManifestFacts = Omit<ExportManifest, 'lazaretAdvisories'>

interface Envelope {
  payload: Buffer
  signatures: { keyid: string; sig: Buffer }[]
}

/** In: what is to be signed, and the pair. Out: the first frame of the file. */
export function signedHead(facts: ManifestFacts, pair: { privateKey: KeyObject; publicKey: KeyObject }): Buffer {
  const payload = Buffer.from(JSON.stringify({ lazaretAdvisories: formVersion, ...facts }))
  const signature = { keyid: trustedKeyOf(pair.publicKey).id, sig: sign(null, signedBytes(payload), pair.privateKey).toString('base64') }
  return headOf({ payloadType, payload: payload.toString('base64'), signatures: [signature] })
}

/** In: an envelope, in the shape of DSSE. */
export function headOf(envelope: object): Buffer {
  const text = Buffer.from(JSON.stringify(envelope))
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(skippableMagic, 0)
  head.writeUInt32LE(text.length, 4)
  return Buffer.concat([head, text])
}

/**
 * In: the JSON of the envelope, and the keys that are trusted. Out: the manifest, and by which of the keys it is signed; undefined
 * where by none. Throws UNREADABLE where it is no envelope of ours, or the manifest is not what this version reads.
 */
export function openEnvelope(text: Buffer, trusted: readonly TrustedKey[]): { manifest: ExportManifest; signedBy: TrustedKey | undefined } {
  const { payload, signatures } = parseEnvelope(text)
  const bytes = signedBytes(payload)
  const signedBy = trusted.find((one) => signatures.some(({ sig }) => sig.length === 64 && verify(null, bytes, one.key, sig)))
  return { manifest: parseManifest(payload), signedBy }
}

/** DSSE v1, "Pre-Authentication Encoding". */
function signedBytes(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload])
}

function parseEnvelope(text: Buffer): Envelope {
  const value = parsed(text, 'the envelope')
  const [payload, signatures] = [own(value, 'payload'), own(value, 'signatures')]
  if (own(value, 'payloadType') !== payloadType || typeof payload !== 'string')
    throw new LazaretError('UNREADABLE', 'the envelope is not of an export of advisories')
  if (!Array.isArray(signatures) || signatures.length > mostSignatures)
    throw new LazaretError('UNREADABLE', 'the envelope has no list of signatures, or too long a one')
  return {
    payload: Buffer.from(payload, 'base64'),
    signatures: signatures.flatMap((one: unknown) => {
      const [keyid, sig] = isObject(one) ? [own(one, 'keyid'), own(one, 'sig')] : []
      return typeof sig === 'string' ? [{ keyid: typeof keyid === 'string' ? keyid : '', sig: Buffer.from(sig, 'base64') }] : []
    }),
  }
}

function parseManifest(payload: Buffer): ExportManifest {
  const value = parsed(payload, 'the manifest')
  const version = own(value, 'lazaretAdvisories')
  if (version !== formVersion)
    throw new LazaretError(
      'UNREADABLE',
      `the export is of form ${JSON.stringify(version)?.slice(0, 20)}, and this version reads ${formVersion}`,
    )
  const problem = manifestProblem(value)
  if (problem !== undefined) throw new LazaretError('UNREADABLE', `the manifest of the export is damaged: ${problem}`)
  return value as unknown as ExportManifest
}

function manifestProblem(value: Record<string, unknown>): string | undefined {
  for (const key of ['records', 'withdrawn', 'exploited', 'schema']) if (!isCount(own(value, key))) return key
  for (const key of ['date', 'createdAt']) if (!isInstant(own(value, key))) return key
  if (!/^\d{6,12}-\d{8}$/.test(String(own(value, 'revision')))) return 'revision'
  for (const key of ['database', 'packed']) if (!isBytesOf(own(value, key))) return key
  const sources = own(value, 'sources')
  if (!Array.isArray(sources) || sources.length > mostSources || !sources.every(isSource)) return 'sources'
  return undefined
}

function isSource(value: unknown): boolean {
  if (!isObject(value)) return false
  const name = own(value, 'source')
  return typeof name === 'string' && name.length <= 100 && isCount(own(value, 'records')) && isInstant(own(value, 'newest'))
}

function isBytesOf(value: unknown): boolean {
  return isObject(value) && isCount(own(value, 'sizeBytes')) && /^[0-9a-f]{64}$/.test(String(own(value, 'sha256')))
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(value) && !Number.isNaN(Date.parse(value))
}

function parsed(text: Buffer, what: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text.toString('utf8')) as unknown
    if (isObject(value)) return value
  } catch (cause) {
    throw new LazaretError('UNREADABLE', `${what} of the export is not JSON`, { cause })
  }
  throw new LazaretError('UNREADABLE', `${what} of the export is not an object`)
}
