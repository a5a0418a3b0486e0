//! NVIDIA's driver, `libcuda.so.1`, opened when the program runs. Results of its functions go to variables of the type that it
//! documents; what it hands out lives as long as the process.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::Path;

use lglp_sdk::helper::Refusal;
use libloading::Library;

use crate::tensorrt::told;
use crate::wire::Device;

/// What the driver's functions return; 0 is success.
type Status = c_int;
/// Memory of the device.
pub(crate) type Memory = u64;
/// Streams, events, graphs.
pub(crate) type Handle = *mut c_void;

/// Asks for the graph of what one thread does, whatever others do (`CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`).
const CAPTURE_THIS_THREAD: c_int = 1;

macro_rules! functions {
    ($($field:ident = $name:literal ($($argument:ty),*);)*) => {
        /// The driver's functions, by their names in the library.
        struct Functions { $($field: unsafe extern "C" fn($($argument),*) -> Status,)* }

        impl Functions {
            fn of(library: &Library) -> Result<Self, Refusal> {
                $(
                    // SAFETY: the signature is the driver's, whose functions keep theirs under one name.
                    let $field = *unsafe { library.get(concat!($name, "\0").as_bytes()) }
                        .map_err(|_| Refusal::Unavailable(format!("the NVIDIA driver is too old: it has no {}", $name)))?;
                )*
                Ok(Self { $($field,)* })
            }
        }
    };
}

functions! {
    init = "cuInit" (c_uint);
    version = "cuDriverGetVersion" (*mut c_int);
    count = "cuDeviceGetCount" (*mut c_int);
    get = "cuDeviceGet" (*mut c_int, c_int);
    name = "cuDeviceGetName" (*mut c_char, c_int, c_int);
    attribute = "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
    error_name = "cuGetErrorName" (Status, *mut *const c_char);
    retain = "cuDevicePrimaryCtxRetain" (*mut Handle, c_int);
    enter = "cuCtxSetCurrent" (Handle);
    allocate = "cuMemAlloc_v2" (*mut Memory, usize);
    allocate_host = "cuMemAllocHost_v2" (*mut *mut c_void, usize);
    upload = "cuMemcpyHtoDAsync_v2" (Memory, *const c_void, usize, Handle);
    download = "cuMemcpyDtoHAsync_v2" (*mut c_void, Memory, usize, Handle);
    stream = "cuStreamCreate" (*mut Handle, c_uint);
    wait = "cuStreamSynchronize" (Handle);
    event = "cuEventCreate" (*mut Handle, c_uint);
    record = "cuEventRecord" (Handle, Handle);
    elapsed = "cuEventElapsedTime" (*mut f32, Handle, Handle);
    begin_capture = "cuStreamBeginCapture_v2" (Handle, c_int);
    end_capture = "cuStreamEndCapture" (Handle, *mut Handle);
    instantiate = "cuGraphInstantiateWithFlags" (*mut Handle, Handle, u64);
    launch = "cuGraphLaunch" (Handle, Handle);
}

/// The driver with one of its devices, in use by this thread.
pub(crate) struct Driver {
    functions: Functions,
    device: c_int,
}

/// What the device is, or what is missing.
pub(crate) fn probe(path: Option<&Path>, device: u32) -> Result<Device, Refusal> {
    Driver::open(path, device)?.describe()
}

impl Driver {
    /// Opens the driver and finds the device of an index.
    pub(crate) fn open(path: Option<&Path>, index: u32) -> Result<Self, Refusal> {
        let file = path.unwrap_or_else(|| Path::new("libcuda.so.1"));
        // SAFETY: the driver's initialisers are what every program with CUDA runs.
        let library = unsafe { Library::new(file) }.map_err(|problem| match path {
            Some(path) => Refusal::Unavailable(format!(
                "no NVIDIA driver: {} cannot be opened ({}); mend the setting `driver` or leave it out",
                path.display(),
                told(&problem)
            )),
            None => Refusal::Unavailable(format!(
                "no NVIDIA driver: libcuda.so.1 is not on this machine ({}); install the driver, or measure with \
                 another runtime, e.g. --runtime onnxruntime",
                told(&problem)
            )),
        })?;
        let functions = Functions::of(&library)?;
        // It has threads of its own by now.
        std::mem::forget(library);
        let mut driver = Self { functions, device: 0 };
        // SAFETY: the flags must be 0, and are.
        let status = unsafe { (driver.functions.init)(0) };
        if status != 0 {
            let reason = driver.error(status);
            return Err(Refusal::Unavailable(format!(
                "the NVIDIA driver does not start: cuInit says {reason}; is there a GPU, and does `nvidia-smi` see it?"
            )));
        }
        let mut count = 0;
        // SAFETY: the driver has started, and writes one number.
        driver.checked("cuDeviceGetCount", unsafe { (driver.functions.count)(&mut count) })?;
        if count == 0 {
            return Err(Refusal::Unavailable(
                "the NVIDIA driver is there, but no GPU that it may use".into(),
            ));
        }
        let asked = c_int::try_from(index).unwrap_or(c_int::MAX);
        if asked >= count {
            return Err(Refusal::Unavailable(format!(
                "device is {index}, and the last of this machine's {count} GPUs has index {}",
                count - 1
            )));
        }
        let mut device = 0;
        // SAFETY: the driver has started, and writes one number.
        driver.checked("cuDeviceGet", unsafe { (driver.functions.get)(&mut device, asked) })?;
        driver.device = device;
        Ok(driver)
    }

    fn describe(&self) -> Result<Device, Refusal> {
        let mut name = [0 as c_char; 256];
        // SAFETY: at most as many bytes are written as are passed along, one fewer than there are.
        self.checked("cuDeviceGetName", unsafe {
            (self.functions.name)(name.as_mut_ptr(), name.len() as c_int - 1, self.device)
        })?;
        // SAFETY: the last byte was left at 0.
        let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
        let mut cuda = 0;
        // SAFETY: one number is written.
        self.checked("cuDriverGetVersion", unsafe { (self.functions.version)(&mut cuda) })?;
        // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.
        let (major, minor) = (self.attribute(75)?, self.attribute(76)?);
        let module = std::fs::read_to_string("/sys/module/nvidia/version").ok();
        Ok(Device {
            name,
            driver: module.map_or_else(
                || format!("CUDA {}.{}", cuda / 1000, cuda % 1000 / 10),
                |version| version.trim().to_owned(),
            ),
            compute_capability: format!("{major}.{minor}"),
        })
    }

    fn attribute(&self, which: c_int) -> Result<c_int, Refusal> {
        let mut value = 0;
        // SAFETY: one number is written; the driver refuses an attribute that it does not know.
        self.checked("cuDeviceGetAttribute", unsafe {
            (self.functions.attribute)(&mut value, which, self.device)
        })?;
        Ok(value)
    }

    /// Makes the device this thread's, in the context that TensorRT uses.
    pub(crate) fn enter(&self) -> Result<(), Refusal> {
        let mut context = std::ptr::null_mut();
        // SAFETY: one handle is written; the context is never released.
        self.checked("cuDevicePrimaryCtxRetain", unsafe {
            (self.functions.retain)(&mut context, self.device)
        })?;
        // SAFETY: the context was retained just before.
        self.checked("cuCtxSetCurrent", unsafe { (self.functions.enter)(context) })
    }

    /// Memory of the device; it lives as long as the process.
    pub(crate) fn allocate(&self, bytes: usize) -> Result<Memory, Refusal> {
        let mut memory = 0;
        // SAFETY: one address is written; a context is current, or the driver says so.
        self.checked("cuMemAlloc", unsafe {
            (self.functions.allocate)(&mut memory, bytes.max(1))
        })?;
        Ok(memory)
    }

    /// Memory of the machine that the device copies from and to by itself, filled with zeros.
    pub(crate) fn allocate_host(&self, bytes: usize) -> Result<&'static mut [u8], Refusal> {
        let mut memory = std::ptr::null_mut();
        // SAFETY: one pointer is written; a context is current, or the driver says so.
        self.checked("cuMemAllocHost", unsafe {
            (self.functions.allocate_host)(&mut memory, bytes.max(1))
        })?;
        // SAFETY: so many bytes, which nobody else knows and nobody frees.
        let memory = unsafe {
            std::ptr::write_bytes(memory.cast::<u8>(), 0, bytes);
            std::slice::from_raw_parts_mut(memory.cast::<u8>(), bytes)
        };
        Ok(memory)
    }

    pub(crate) fn stream(&self) -> Result<Handle, Refusal> {
        let mut stream = std::ptr::null_mut();
        // Flag 1: it does not wait for the default stream.
        // SAFETY: one handle is written, of a stream that is never destroyed.
        self.checked("cuStreamCreate", unsafe { (self.functions.stream)(&mut stream, 1) })?;
        Ok(stream)
    }

    pub(crate) fn event(&self) -> Result<Handle, Refusal> {
        let mut event = std::ptr::null_mut();
        // SAFETY: one handle is written, of an event that is never destroyed.
        self.checked("cuEventCreate", unsafe { (self.functions.event)(&mut event, 0) })?;
        Ok(event)
    }

    pub(crate) fn record(&self, event: Handle, stream: Handle) -> Result<(), Refusal> {
        // SAFETY: both come from `event` and `stream`, which live as long as the process.
        self.checked("cuEventRecord", unsafe { (self.functions.record)(event, stream) })
    }

    /// Nanoseconds between two events that are over.
    pub(crate) fn between(&self, start: Handle, end: Handle) -> Result<u64, Refusal> {
        let mut ms = 0.0;
        // SAFETY: both come from `event`; one number is written.
        self.checked("cuEventElapsedTime", unsafe {
            (self.functions.elapsed)(&mut ms, start, end)
        })?;
        Ok((f64::from(ms) * 1e6).round() as u64)
    }

    pub(crate) fn upload(&self, to: Memory, from: &[u8], stream: Handle) -> Result<(), Refusal> {
        // SAFETY: so many bytes are read from `from`, whose owner waits for the stream before it goes; the driver refuses an
        // address that is not of its memory.
        self.checked("cuMemcpyHtoDAsync", unsafe {
            (self.functions.upload)(to, from.as_ptr().cast(), from.len(), stream)
        })
    }

    pub(crate) fn download(&self, to: &mut [u8], from: Memory, stream: Handle) -> Result<(), Refusal> {
        // SAFETY: as many bytes are written as `to` has, whose owner waits for the stream before it reads or goes.
        self.checked("cuMemcpyDtoHAsync", unsafe {
            (self.functions.download)(to.as_mut_ptr().cast(), from, to.len(), stream)
        })
    }

    /// Waits until all is done that was given to a stream.
    pub(crate) fn wait(&self, stream: Handle) -> Result<(), Refusal> {
        // SAFETY: the stream comes from `stream`.
        self.checked("cuStreamSynchronize", unsafe { (self.functions.wait)(stream) })
    }

    /// What `work` gives to a stream, as a graph that is launched at once.
    pub(crate) fn capture(
        &self,
        stream: Handle,
        work: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<Handle, Refusal> {
        let (mut graph, mut ready) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the stream comes from `stream`, and only this thread gives it work.
        self.checked("cuStreamBeginCapture", unsafe {
            (self.functions.begin_capture)(stream, CAPTURE_THIS_THREAD)
        })?;
        let worked = work();
        // SAFETY: the capture began above, on this thread; one handle is written.
        self.checked("cuStreamEndCapture", unsafe {
            (self.functions.end_capture)(stream, &mut graph)
        })?;
        worked?;
        // SAFETY: the graph was captured whole, since `work` and the capture succeeded; one handle is written.
        self.checked("cuGraphInstantiate", unsafe {
            (self.functions.instantiate)(&mut ready, graph, 0)
        })?;
        Ok(ready)
    }

    pub(crate) fn launch(&self, graph: Handle, stream: Handle) -> Result<(), Refusal> {
        // SAFETY: the graph comes from `capture` and the stream from `stream`; neither is ever destroyed.
        self.checked("cuGraphLaunch", unsafe { (self.functions.launch)(graph, stream) })
    }

    fn checked(&self, call: &str, status: Status) -> Result<(), Refusal> {
        match status {
            0 => Ok(()),
            status => Err(Refusal::Failed(format!("{call} says {}", self.error(status)))),
        }
    }

    /// E.g. `CUDA_ERROR_NO_DEVICE (100)`.
    fn error(&self, status: Status) -> String {
        let mut name = std::ptr::null();
        // SAFETY: a text of the driver's own, or null where it does not know the number.
        let known = unsafe { (self.functions.error_name)(status, &mut name) == 0 && !name.is_null() };
        match known {
            // SAFETY: as above.
            true => format!("{} ({status})", unsafe { CStr::from_ptr(name) }.to_string_lossy()),
            false => format!("error {status}"),
        }
    }
}
