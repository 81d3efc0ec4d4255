/** Where the nodes and clients of the lively demo are: data centres on every continent, and how far they are away. */

export interface Place {
  /** As airports are called. */
  readonly name: string
  readonly country: string
  readonly region: string
  /** Degrees, north and east positive. */
  readonly latitude: number
  readonly longitude: number
  /** Round trip to the coordinator, which stands in Frankfurt, ms. */
  readonly rttMs: number
}

const place = (
  name: string,
  country: string,
  region: string,
  [latitude, longitude]: readonly [number, number],
  rttMs: number,
): Place => ({ name, country, region, latitude, longitude, rttMs })

export const PLACES: readonly Place[] = [
  place('fra', 'DE', 'eu-central', [50.11, 8.68], 2),
  place('ams', 'NL', 'eu-west', [52.37, 4.9], 9),
  place('nyc', 'US', 'us-east', [40.71, -74.01], 82),
  place('hel', 'FI', 'eu-north', [60.17, 24.94], 26),
  place('sin', 'SG', 'ap-southeast', [1.35, 103.82], 165),
  place('gru', 'BR', 'sa-east', [-23.55, -46.63], 203),
  place('nrt', 'JP', 'ap-northeast', [35.68, 139.69], 228),
  place('jnb', 'ZA', 'af-south', [-26.2, 28.05], 158),
  place('sfo', 'US', 'us-west', [37.77, -122.42], 148),
  place('syd', 'AU', 'ap-south', [-33.87, 151.21], 262),
  place('bom', 'IN', 'ap-west', [19.08, 72.88], 118),
  place('waw', 'PL', 'eu-east', [52.23, 21.01], 19),
  place('dxb', 'AE', 'me-central', [25.2, 55.27], 96),
  place('yyz', 'CA', 'us-north', [43.65, -79.38], 97),
  place('scl', 'CL', 'sa-west', [-33.45, -70.67], 224),
  place('nbo', 'KE', 'af-east', [-1.29, 36.82], 142),
]

/** Returns the place of the `i`th, counting from 0: all of them once, then all again. */
export const placeOf = (i: number): Place => PLACES[i % PLACES.length] as Place // inside, by the remainder
