// An import in a process beside the one that serves: reading some hundred megabytes of JSON would hold up every pull.
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { bringIn } from './bring-in.ts'
import type { ImportOrder, ImportOutcome } from './imports.ts'

const [order] = process.argv.slice(2)
const send = process.send?.bind(process)
if (order === undefined || send === undefined) throw new Error('the import is started by the server')

process.on('disconnect', () => process.exit()) // without its parent there is nobody to tell; the next import clears the work file away

send(await outcomeOf(JSON.parse(order) as ImportOrder), () => process.disconnect?.())

async function outcomeOf({ path, dataFolder, ...order }: ImportOrder): Promise<ImportOutcome> {
  try {
    return { report: await bringIn([path], dataFolder, order) }
  } catch (error) {
    return { code: error instanceof LazaretError ? error.code : 'INTERNAL', problem: messageOf(error) }
  }
}
