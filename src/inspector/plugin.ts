/** The room that operators look in from: the page, and the socket that it asks by. */
import type { Plugin } from '../app/plugin.js'
import { OPERATOR_MESSAGE_MAX, OPERATOR_PATH, OPERATOR_SUBPROTOCOL } from '../protocol/operator.js'
import { operatorFigures } from './figures.js'
import { Operators } from './live/operators.js'
import { pageRoutes } from './page-routes.js'

/** What may wait in a socket, bytes: twice what a reader is given before it is closed, so that every message finds room. */
const WAITING_MAX = 16 * 1024 * 1024
/** A page whose machine has gone to sleep answers no ping, s. */
const SILENCE_S = 60

export const inspector: Plugin = {
  name: 'inspector',
  async start(mesh, host) {
    const operators = new Operators(mesh, host)
    return {
      routes: pageRoutes,
      channels: [
        {
          path: OPERATOR_PATH,
          subprotocol: OPERATOR_SUBPROTOCOL,
          name: 'the operators’ socket',
          pages: {
            origins: new Set(host.config.inspectorOrigins),
            own: true,
            setting: 'BOSON_INSPECTOR_ORIGINS',
          },
          messageMax: OPERATOR_MESSAGE_MAX,
          waitingMax: WAITING_MAX,
          silenceS: SILENCE_S,
          intake: operators,
        },
      ],
      figures: operatorFigures(operators),
      async stop() {
        operators.shut()
      },
    }
  },
}
