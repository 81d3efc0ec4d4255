/** People: their accounts, and how they sign in. */
import type { Plugin } from '../app/plugin.js'
import { every } from '../kit/clock.js'
import { AccountTokens } from './account-tokens.js'
import { Accounts } from './accounts.js'
import { Attempts } from './attempts.js'
import { authEndpoints } from './auth-endpoints.js'
import { Door } from './door.js'
import { accessFigures, SignInCounts } from './figures.js'
import { Hashing } from './hashing.js'
import { MIGRATIONS } from './migrations.js'
import { signInEndpoints } from './sign-in-endpoints.js'
import { SignIns } from './sign-ins.js'
import { SignUp } from './sign-up.js'
import { Standings } from './standings.js'
import type { AccessTables } from './tables.js'
import { TIMING } from './timing.js'
import { userEndpoints } from './user-endpoints.js'

export const access: Plugin = {
  name: 'access',
  async start(mesh, host) {
    const { clock, random, log, revocations } = host
    const room = await host.room<AccessTables>('access', MIGRATIONS)
    const accounts = new Accounts({ room, clock, random })
    const signIns = new SignIns({ room, clock, random })
    const standings = new Standings({ clock, accounts, signIns, revocations })
    const hashing = new Hashing(random)
    const counts = new SignInCounts()
    const tokens = new AccountTokens({
      clock,
      serverId: mesh.serverId,
      keys: host.signingKeys('account tokens'),
    })
    const audit: typeof host.audit = event => host.audit(event)
    const attempts = new Attempts(clock)
    const { passwordMin, promoteSecret, signUp: mode } = host.config
    const common = { accounts, standings, hashing, attempts, audit, passwordMin }
    const door = new Door({ ...common, signIns, tokens, counts })
    const signUp = new SignUp({ ...common, clock, mode, promoteSecret })

    // Tokens that were ended by the process before are not good again.
    await standings.look()
    let busy = Promise.resolve()
    const now = (work: () => Promise<void>) => () => {
      busy = busy
        .then(work)
        .catch((error: unknown) => log.debug({ err: error }, 'accounts could not be looked at'))
    }
    const stops = [
      every(
        clock,
        TIMING.lookEveryMs,
        now(() => standings.look()),
      ),
      every(
        clock,
        TIMING.tidyEveryMs,
        now(() => signIns.tidy()),
      ),
    ]
    return {
      routes: [
        ...signInEndpoints(door),
        ...userEndpoints({ ...common, door, random }),
        ...authEndpoints({ accounts, door, signUp, nowMs: () => clock.wallMs() }),
      ],
      figures: accessFigures(counts),
      recognise(bearer) {
        const claims = tokens.read(bearer)
        if (claims === 'foreign') return null
        return claims === 'bad' ? { kind: 'stranger', bearer: null } : standings.callerOf(claims)
      },
      async stop() {
        for (const stop of stops) stop()
        await busy
      },
    }
  },
}
