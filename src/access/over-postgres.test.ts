import { overPostgres } from '../store/suites/over.ts'
import { accountsSuite } from './suites/accounts.ts'
import { signInSuite } from './suites/signin.ts'

await overPostgres('access', [accountsSuite, signInSuite])
