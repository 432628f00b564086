import { zstdCompress } from 'node:zlib'
import { promisify } from 'node:util'
import type { OpenAdvisories } from '../../advisories/database.ts'
import { readLayer } from '../../inventory/layer.ts'
import { LazaretError } from '../../kit/errors.ts'
import { openFileObjects } from '../../store/objects/files.ts'
import type { ObjectStore } from '../../store/objects/objects.ts'
import { advisoriesInForce } from '../advisories/in-force.ts'
import { assembleEvidence } from '../assemble.ts'
import type { LayerOutcome } from '../evidence.ts'
import { packFacts, unpackFacts } from './facts.ts'
import type { BlobReading, Examined, LayerInput, Task, TaskResult } from './protocol.ts'
import { rematchTasks } from './rematches.ts'

const compress = promisify(zstdCompress)
/** JSON above this is a file like any other. */
const mostJsonBytes = 64 * 1024 * 1024

export interface WorkerTasks {
  run(task: Task): Promise<TaskResult>
}

export async function openWorker(blobFolder: string, dataFolder: string): Promise<WorkerTasks> {
  const objects = await openFileObjects(blobFolder)
  const advisories = advisoriesInForce(dataFolder)
  const { compare, rematch } = rematchTasks(dataFolder)
  return {
    async run(task) {
      if (task.task === 'inventory') return inventory(objects, task.objectKey, task.sizeBytes)
      if (task.task === 'examine') return examine(task, advisories())
      return task.task === 'compare' ? compare(task, advisories()) : rematch(task, advisories())
    },
  }
}

/** Bytes that no reader of archives can make sense of are an answer; what failed for another reason is an error, and is tried again. */
async function inventory(objects: ObjectStore, objectKey: string, sizeBytes: number): Promise<BlobReading> {
  try {
    const facts = await readLayer(await objects.read(objectKey), { reopen: () => reopened(objects, objectKey) })
    return { state: 'layer', diffId: facts.diffId, sizeBytes: facts.sizeBytes, facts: await packFacts(facts) }
  } catch (error) {
    if (!(error instanceof LazaretError) || (error.code !== 'UNREADABLE' && error.code !== 'LIMIT_EXCEEDED')) throw error
    if (error.code === 'LIMIT_EXCEEDED') return { state: 'unexamined', problem: error.message }
    if (await isJson(objects, objectKey, sizeBytes)) return { state: 'json' }
    return { state: 'unreadable', problem: error.message }
  }
}

async function* reopened(objects: ObjectStore, objectKey: string): AsyncGenerator<Buffer> {
  for await (const chunk of await objects.read(objectKey)) yield chunk as Buffer
}

async function isJson(objects: ObjectStore, objectKey: string, sizeBytes: number): Promise<boolean> {
  if (sizeBytes === 0 || sizeBytes > mostJsonBytes || !(await mayBeJson(objects, objectKey, sizeBytes))) return false
  const bytes = Buffer.concat(await (await objects.read(objectKey)).toArray())
  try {
    JSON.parse(bytes.toString('utf8'))
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

const firstOfJson = /^[\t\n\r ]*(?:[[{"\-0-9tfn]|$)/

/** By its first bytes: a megabyte of anything else is not read into memory for it. */
async function mayBeJson(objects: ObjectStore, objectKey: string, sizeBytes: number): Promise<boolean> {
  const first = (await (await objects.read(objectKey, { start: 0, end: Math.min(sizeBytes, 4096) })).toArray()) as Buffer[]
  return firstOfJson.test(Buffer.concat(first).toString('latin1'))
}

async function examine(task: Extract<Task, { task: 'examine' }>, advisories: OpenAdvisories): Promise<Examined> {
  const layers: LayerOutcome[] = []
  for (const layer of task.layers) layers.push(await outcomeOf(layer))
  const config = task.config === undefined ? {} : { config: await outcomeOf(task.config) }
  const { evidence, subjects } = assembleEvidence({ digest: task.digest, kind: task.kind, ...config, layers, advisories, now: new Date() })
  return { evidence: await compress(JSON.stringify(evidence)), parsed: evidence, subjects }
}

async function outcomeOf(layer: LayerInput): Promise<LayerOutcome> {
  if (layer.state !== 'layer') return layer
  return { state: 'layer', facts: await unpackFacts(layer.facts) }
}
