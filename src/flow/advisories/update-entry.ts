// An update in a process beside the one that serves: what comes from other servers is read there, and a kill at any point leaves
// the revision of before in force, or the new one.
import { setPriority } from 'node:os'
import { fetchTools } from '../../advisories/fetch/tools.ts'
import { updateAdvisories } from '../../advisories/fetch/update.ts'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import { createOutgoing } from '../../kit/outgoing/outgoing.ts'
import type { UpdateOrder, UpdateOutcome } from './updates.ts'

const niceness = 5
const send = process.send?.bind(process)
if (send === undefined) throw new Error('the update is started by the server')

process.on('disconnect', () => process.exit()) // without its parent there is nobody to tell; the next update goes on with what is there

process.once('message', (order) => {
  setPriority(niceness)
  void outcomeOf(order as UpdateOrder).then((outcome) => send(outcome, () => process.disconnect?.()))
})

async function outcomeOf({ request, dataFolder, network }: UpdateOrder): Promise<UpdateOutcome> {
  try {
    const outgoing = createOutgoing({ network }, process.env)
    return { report: await updateAdvisories(request, dataFolder, fetchTools(outgoing, new AbortController().signal)) }
  } catch (error) {
    const full = asNoRoom(error)
    if (full !== undefined) return { code: full.code, problem: full.message }
    return { code: error instanceof LazaretError ? error.code : 'INTERNAL', problem: messageOf(error) }
  }
}
