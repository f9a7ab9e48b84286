import { launch, loadConfig, runService } from '#service';
import { createGateway } from './create-gateway.js';
import { GatewayConfig } from './gateway.config.js';

void launch(async () => {
  const config = loadConfig(GatewayConfig);
  return runService(await createGateway(config), config, (app) => app.listen(config.PORT, '0.0.0.0'));
});
