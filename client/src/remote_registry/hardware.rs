//! Hardware targets.

use lglp_openapi::hardware::HardwareList;
use lglp_registry::{HardwareName, HardwareTarget, HardwareTargets, NewHardware, Quota, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error};

impl HardwareTargets for RemoteRegistry {
    /// The server knows what its caller may create.
    fn put_hardware_within(&self, _: Quota, new: &NewHardware, _actor: &str) -> Result<HardwareTarget> {
        let path = format!("/v1/hardware/{}", new.name);
        self.0
            .send(Method::PUT, &path, &[], new)
            .map_err(error("create the hardware target", "hardware target"))
    }

    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget> {
        let path = format!("/v1/hardware/{name}");
        self.0
            .get(&path)
            .map_err(error("read the hardware target", "hardware target"))
    }

    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>> {
        let listed: HardwareList = self
            .0
            .get("/v1/hardware")
            .map_err(error("list hardware targets", "list"))?;
        Ok(listed.hardware)
    }
}
